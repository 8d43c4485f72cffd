/** What tools really print when they fail, with what `reknit run` must make of it: three kinds for every tool. */
import type { Judgement } from '../../src/run/index.ts';

export interface RunSample {
  readonly by: string;
  readonly exitCode: number;
  readonly output: string;
  readonly verdict: Judgement['verdict'];
}

const transient = 'transient';
const permanent = 'permanent';
const local = 'local';

const table = (
  by: string,
  ...rows: readonly (readonly [exitCode: number, verdict: Judgement['verdict'], output: string])[]
): readonly RunSample[] => rows.map(([exitCode, verdict, output]) => ({ by, exitCode, verdict, output }));

export const runSamples: readonly RunSample[] = [
  ...table(
    'git',
    [
      128,
      transient,
      "Cloning into 'repo'...\nerror: RPC failed; curl 56 Recv failure: Connection reset by peer\nerror: 4056 bytes of body are still expected\nfetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
    ],
    [
      128,
      transient,
      "Cloning into 'repo'...\nfatal: unable to access 'https://git.example.com/r.git/': The requested URL returned error: 503",
    ],
    [
      128,
      permanent,
      "Cloning into 'repo'...\nremote: Repository not found.\nfatal: repository 'https://git.example.com/nope.git/' not found",
    ],
    [128, permanent, "fatal: Authentication failed for 'https://git.example.com/r.git/'"],
    [
      128,
      permanent,
      "fatal: unable to access 'https://git.example.com/r.git/': server certificate verification failed. CAfile: none CRLfile: none",
    ],
    [128, local, "fatal: destination path 'repo' already exists and is not an empty directory."],
    [128, local, "error: unable to write file a.bin\nfatal: cannot create directory at 'x': No space left on device"],
  ),
  ...table(
    'pip',
    [
      1,
      transient,
      "Collecting numpy\nWARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))': /simple/numpy/\nERROR: Could not find a version that satisfies the requirement numpy (from versions: none)\nERROR: No matching distribution found for numpy",
    ],
    [
      2,
      transient,
      'ERROR: Exception:\nTraceback (most recent call last):\n  File "/x/pip/_vendor/urllib3/response.py", line 438, in _error_catcher\n    yield\npip._vendor.urllib3.exceptions.ProtocolError: (\'Connection broken: IncompleteRead(4216 bytes read, 4142 more expected)\', IncompleteRead(4216 bytes read, 4142 more expected))',
    ],
    [
      1,
      permanent,
      'ERROR: Could not find a version that satisfies the requirement nopkg (from versions: none)\nERROR: No matching distribution found for nopkg',
    ],
    [
      1,
      permanent,
      'ERROR: HTTP error 403 while getting https://files.example.com/a.whl\nERROR: 403 Client Error: Forbidden for url: https://files.example.com/a.whl',
    ],
    [
      1,
      local,
      "WARNING: Retrying (Retry(total=4)) after connection broken by 'ConnectionResetError(104, 'Connection reset by peer')': /simple/x/\n  ERROR: Failed building wheel for x\nERROR: Could not build wheels for x, which is required to install pyproject.toml-based projects",
    ],
    [1, local, 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device'],
  ),
  ...table(
    'uv',
    [
      2,
      transient,
      'error: Failed to fetch: `https://pypi.org/simple/numpy/`\n  Caused by: Request failed after 3 retries\n  Caused by: error sending request for url (https://pypi.org/simple/numpy/)\n  Caused by: client error (Connect)\n  Caused by: tcp connect error: Connection reset by peer (os error 104)',
    ],
    [
      1,
      permanent,
      '  × No solution found when resolving dependencies:\n  ╰─▶ Because nopkg was not found in the package registry and you require nopkg, we can conclude that your requirements are unsatisfiable.',
    ],
    [1, local, '  × Failed to build `thing==1.0`\n  ├─▶ The build backend returned an error'],
  ),
  ...table(
    'npm',
    [
      1,
      transient,
      'npm error code ECONNRESET\nnpm error network read ECONNRESET\nnpm error network This is a problem related to network connectivity.',
    ],
    [1, transient, 'npm error code E503\nnpm error 503 Service Unavailable - GET https://registry.npmjs.org/left-pad'],
    [1, permanent, 'npm error code E404\nnpm error 404 Not Found - GET https://registry.npmjs.org/nopkg - Not found'],
    [1, permanent, 'npm error code E401\nnpm error 401 Unauthorized - GET https://registry.example.com/a'],
    [1, local, 'npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree'],
    [
      243,
      local,
      "npm error code EACCES\nnpm error syscall mkdir\nnpm error Error: EACCES: permission denied, mkdir '/usr/lib/node_modules'",
    ],
  ),
  ...table(
    'curl',
    [56, transient, 'curl: (56) Recv failure: Connection reset by peer'],
    [18, transient, ''],
    [22, transient, 'curl: (22) The requested URL returned error: 502'],
    [22, permanent, 'curl: (22) The requested URL returned error: 404'],
    [60, permanent, 'curl: (60) SSL certificate problem: unable to get local issuer certificate'],
    [23, local, 'curl: (23) Failure writing output to destination'],
    [2, local, "curl: option --nope: is unknown\ncurl: try 'curl --help' for more information"],
  ),
  ...table(
    'apt',
    [
      100,
      transient,
      'Err:1 http://deb.example.com/debian bookworm/main amd64 hello amd64 2.10-3\n  Connection failed [IP: 192.0.2.1 80]\nE: Failed to fetch http://deb.example.com/debian/pool/h/hello.deb  Connection failed [IP: 192.0.2.1 80]\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?',
    ],
    [
      100,
      permanent,
      'E: Failed to fetch http://deb.example.com/debian/pool/h/hello.deb  404  Not Found [IP: 192.0.2.1 80]\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?',
    ],
    [100, permanent, 'Reading package lists...\nE: Unable to locate package nopkg'],
    [100, local, 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (apt-get)'],
  ),
  ...table(
    'docker',
    [
      1,
      transient,
      'error pulling image configuration: download failed after attempts=6: read tcp 10.0.0.2:4->192.0.2.1:443: read: connection reset by peer',
    ],
    [
      1,
      transient,
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout',
    ],
    [1, transient, 'toomanyrequests: You have reached your pull rate limit.'],
    [
      1,
      permanent,
      "Error response from daemon: pull access denied for nope, repository does not exist or may require 'docker login'",
    ],
    [
      1,
      permanent,
      'Error response from daemon: manifest for alpine:nope not found: manifest unknown: manifest unknown',
    ],
    [1, local, 'failed to register layer: write /x: no space left on device'],
    [1, local, 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'],
  ),
  ...table(
    'python',
    [
      1,
      transient,
      'Traceback (most recent call last):\n  File "s.py", line 3, in <module>\n    urlopen(url).read()\nConnectionResetError: [Errno 104] Connection reset by peer',
    ],
    [
      1,
      transient,
      'Traceback (most recent call last):\nurllib.error.URLError: <urlopen error [Errno 111] Connection refused>',
    ],
    [
      1,
      transient,
      "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
    ],
    [
      1,
      transient,
      'httpx.RemoteProtocolError: peer closed connection without sending complete message body (received 10 bytes, expected 20)',
    ],
    [
      1,
      transient,
      "urllib3.exceptions.ProtocolError: ('Connection broken: IncompleteRead(5 bytes read, 5 more expected)', IncompleteRead(5 bytes read, 5 more expected))",
    ],
    [1, permanent, 'urllib.error.HTTPError: HTTP Error 404: Not Found'],
    [1, permanent, 'requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/'],
    [
      1,
      permanent,
      'urllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)>',
    ],
    [
      1,
      local,
      "ConnectionResetError: [Errno 104] Connection reset by peer\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\nKeyError: 'x'",
    ],
    [1, local, 'OSError: [Errno 28] No space left on device'],
    [2, local, "python3: can't open file '/app/nope.py': [Errno 2] No such file or directory"],
  ),
  ...table(
    'node',
    [
      1,
      transient,
      "node:internal/process/promises:394\n\nTypeError: fetch failed\n    at node:internal/deps/undici/undici:15157:13 {\n  [cause]: Error: read ECONNRESET\n      at TCP.onStreamRead (node:internal/stream_base_commons:216:20) {\n    errno: -104,\n    code: 'ECONNRESET',\n    syscall: 'read'\n  }\n}\n\nNode.js v22.1.0",
    ],
    [
      1,
      transient,
      "Error: socket hang up\n    at Socket.socketOnEnd (node:_http_client:524:23) {\n  code: 'ECONNRESET'\n}",
    ],
    [1, transient, 'file:///app/[eval1]:1\n\nError: HTTP 503\n    at file:///app/a.mjs:1:60\n\nNode.js v20.20.2'],
    [1, permanent, 'Error: HTTP error! status: 404\n    at load (/app/a.js:3:11)\n\nNode.js v20.20.2'],
    [1, permanent, 'Error: Request failed with status code 404'],
    [
      1,
      permanent,
      "TypeError: fetch failed {\n  [cause]: Error: self-signed certificate {\n    code: 'DEPTH_ZERO_SELF_SIGNED_CERT'\n  }\n}",
    ],
    [
      1,
      local,
      "Error: Cannot find module '/app/nope.js'\n    at Module._resolveFilename {\n  code: 'MODULE_NOT_FOUND'\n}",
    ],
  ),
  ...table(
    'pnpm',
    [
      1,
      transient,
      ' ERR_PNPM_META_FETCH_FAIL  GET https://registry.npmjs.org/left-pad: request failed, reason: read ECONNRESET',
    ],
    [1, permanent, ' ERR_PNPM_FETCH_404  GET https://registry.npmjs.org/nopkg: Not Found - 404'],
    [1, local, ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"'],
  ),
  ...table(
    'yarn',
    [1, transient, 'error An unexpected error occurred: "https://registry.yarnpkg.com/left-pad: ETIMEDOUT".'],
    [1, permanent, 'error Couldn\'t find any versions for "left-pad" that matches "99.0.0"'],
    [1, local, 'error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.'],
  ),
  ...table(
    'cargo',
    [
      101,
      transient,
      'warning: spurious network error (3 tries remaining): [56] Failure when receiving data from the peer (Recv failure: Connection reset by peer)\nerror: failed to download from `https://static.crates.io/crates/serde/1.0.0/download`',
    ],
    [
      101,
      transient,
      'error: failed to get `x` as a dependency of package `a v0.1.0 (/a)`\n\nCaused by:\n  download of config.json failed\n\nCaused by:\n  failed to get successful HTTP response from `http://127.0.0.1:8503/config.json` (127.0.0.1), got 503\n  body:\n  busy',
    ],
    [
      101,
      permanent,
      'error: failed to get `x` as a dependency of package `a v0.1.0 (/a)`\n\nCaused by:\n  authenticated registries require a credential-provider to be configured',
    ],
    [101, permanent, 'error: no matching package named `nopkg` found\nlocation searched: crates.io index'],
    [101, local, 'error: could not compile `a` (bin "a") due to 1 previous error'],
  ),
  ...table(
    'go',
    [
      1,
      transient,
      'go: example.com/m@v1.0.0: Get "https://proxy.golang.org/m": read tcp 10.0.0.2:4->192.0.2.1:443: read: connection reset by peer',
    ],
    [
      1,
      permanent,
      'go: example.com/nope@v1.2.3: reading https://proxy.golang.org/example.com/nope/@v/v1.2.3.info: 404 Not Found',
    ],
    [1, local, './main.go:5:2: undefined: nope'],
  ),
  ...table(
    'wget',
    [4, transient, 'Read error at byte 65536/100000 (Connection reset by peer). Giving up.'],
    [4, transient, ''],
    [8, permanent, '2026-11-22 10:00:00 ERROR 404: Not Found.'],
    [5, permanent, ''],
    [3, local, 'a.bin: No space left on device\n\nCannot write to ‘a.bin’ (Success).'],
  ),
  ...table(
    'rsync',
    [
      12,
      transient,
      'rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]\nrsync error: error in rsync protocol data stream (code 12) at io.c(231) [Receiver=3.2.7]',
    ],
    [
      10,
      transient,
      'rsync: [Receiver] failed to connect to 192.0.2.1 (192.0.2.1): Connection refused (111)\nrsync error: error in socket IO (code 10) at clientserver.c(139)',
    ],
    [5, permanent, "@ERROR: Unknown module 'nope'\nrsync error: error starting client-server protocol (code 5)"],
    [23, local, 'rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338)'],
  ),
  ...table(
    'ssh',
    [255, transient, 'ssh: connect to host h.example.com port 22: Connection refused'],
    [255, transient, 'kex_exchange_identification: Connection closed by remote host'],
    [255, permanent, 'me@h.example.com: Permission denied (publickey,password).'],
    [255, permanent, 'Host key verification failed.'],
  ),
  ...table(
    'helm',
    [
      1,
      transient,
      'Error: looks like "https://charts.example.com" is not reachable: Get "https://charts.example.com/index.yaml": read tcp 10.0.0.2:4->192.0.2.1:443: read: connection reset by peer',
    ],
    [1, permanent, 'Error: failed to fetch https://charts.example.com/a.tgz : 404 Not Found'],
    [1, local, 'Error: INSTALLATION FAILED: cannot re-use a name that is still in use'],
  ),
  ...table(
    'terraform',
    [
      1,
      transient,
      '│ Error: Failed to install provider\n│\n│ Error while installing hashicorp/aws v5.0.0: Get "https://releases.hashicorp.com/a.zip": read tcp 10.0.0.2:4->192.0.2.1:443: read: connection reset by peer',
    ],
    [
      1,
      permanent,
      '│ Could not retrieve the list of available versions for provider a/nope: provider registry\n│ registry.terraform.io does not have a provider named registry.terraform.io/a/nope',
    ],
    [1, local, '│ Error: Unsupported argument\n│\n│   on main.tf line 3, in resource "a" "b":'],
  ),
  ...table(
    'maven',
    [
      1,
      transient,
      '[ERROR] Failed to execute goal: Could not transfer artifact a:b:jar:1 from/to central (https://repo.maven.apache.org/maven2): Connection reset',
    ],
    [1, permanent, '[ERROR] Could not find artifact com.x:y:jar:1 in central (https://repo.maven.apache.org/maven2)'],
    [1, local, '[ERROR] COMPILATION ERROR :'],
  ),
  ...table(
    'gradle',
    [
      1,
      transient,
      "> Could not resolve com.x:y:1.\n   > Could not get resource 'https://repo.maven.apache.org/maven2/y.pom'.\n      > Could not GET 'https://repo.maven.apache.org/maven2/y.pom'. Received status code 502 from server: Bad Gateway",
    ],
    [
      1,
      permanent,
      '> Could not find com.x:y:1.\n  Searched in the following locations:\n    - https://repo.maven.apache.org/maven2/y.pom',
    ],
    [1, local, '> Compilation failed; see the compiler output below.'],
  ),
  ...table(
    'any',
    [1, 'unknown', 'it did not work'],
    [3, 'unknown', ''],
    [127, local, 'sh: 1: nope: not found'],
    [1, 'unknown', `WARNING: Connection reset by peer, trying again\n${'ok, going on\n'.repeat(80)}assertion failed`],
    [1, transient, 'make: *** [deps] Error 56\ncurl: (56) Recv failure: Connection reset by peer'],
  ),
];
