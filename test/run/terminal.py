"""A terminal with a command in it: what it shows goes to stdout; orders come as JSON, one per line, on stdin.

Usage: terminal.py ROWS COLUMNS OUT ERR COMMAND...   (OUT, ERR: `tty`, or a file that the stream goes to)
Orders: {"type": TEXT}, {"resize": [ROWS, COLUMNS]}. At the end stderr has {"code": N, "isRestored": BOOL}.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios

rows, columns = int(sys.argv[1]), int(sys.argv[2])
out, err, command = sys.argv[3], sys.argv[4], sys.argv[5:]
master, slave = pty.openpty()


def resize(size):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', size[0], size[1], 0, 0))


resize([rows, columns])
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    opened = lambda name: slave if name == 'tty' else os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    streams = [slave, opened(out), opened(err)]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 100)
    os.execvp(command[0], command)

orders = b''
hears = True
status = None
while True:
    readable, _, _ = select.select([master] + ([0] if hears else []), [], [], 0.02)
    if master in readable:
        os.write(1, os.read(master, 65536))
        continue
    if 0 in readable:
        chunk = os.read(0, 65536)
        hears = chunk != b''
        orders += chunk
        *lines, orders = orders.split(b'\n')
        for line in lines:
            order = json.loads(line)
            if 'type' in order:
                os.write(master, order['type'].encode())
            else:
                resize(order['resize'])
    if status is not None:
        break
    ended, code = os.waitpid(pid, os.WNOHANG)
    if ended == pid:
        status = code
after = termios.tcgetattr(slave)
sys.stderr.write(json.dumps({'code': os.waitstatus_to_exitcode(status), 'isRestored': after == before}) + '\n')
