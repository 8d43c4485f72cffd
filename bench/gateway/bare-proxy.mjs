// The least that a proxy in Node.js does: node:http in front, undici's dispatch behind, bytes passed on with back-pressure.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2], { connections: 256, pipelining: 1 });

const server = createServer((request, response) => {
  const { method, url, headers } = request;
  const { host: _host, connection: _connection, ...passed } = headers;
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  let abort;
  response.on('close', () => {
    if (!response.writableFinished) abort?.();
  });
  pool.dispatch(
    { method, path: url, headers: passed, body: hasBody ? request : null },
    {
      onConnect: (stop) => {
        abort = stop;
      },
      onHeaders: (status, raw, resume) => {
        const fields = [];
        for (let at = 0; at < raw.length; at += 2) {
          const name = raw[at].toString('latin1');
          if (!/^(connection|keep-alive|transfer-encoding)$/i.test(name))
            fields.push(name, raw[at + 1].toString('latin1'));
        }
        response.writeHead(status, fields);
        response.on('drain', resume);
        return true;
      },
      onData: (chunk) => response.write(chunk),
      onComplete: () => response.end(),
      onError: () => response.destroy(),
    },
  );
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
