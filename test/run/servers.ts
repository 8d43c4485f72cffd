/** Real servers that tools talk to, on loopback: files, a package index, git over smart HTTP. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Front, type FrontRule, startFront } from '../../src/lab/index.ts';

export function hasProgram(name: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(name, args, { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write(`skipped: ${name} is not installed\n`);
    return false;
  }
}

/** A server and the front before it: what is asked goes through connections that break by rule. */
export interface Behind extends AsyncDisposable {
  readonly front: Front;
  readonly url: string;
  /** Requests that reached the server. */
  readonly requests: readonly string[];
}

export async function serveBehind(listener: RequestListener, rules: readonly FrontRule[]): Promise<Behind> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const front = await startFront({ target: { host: '127.0.0.1', port }, rules });
  return {
    front,
    url: front.url,
    requests,
    [Symbol.asyncDispose]: async () => {
      await front.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Two connections of three are reset after so many bytes. */
export const twoOfThree = (atByte: number): readonly FrontRule[] => [
  { on: [1, 2, 4, 5, 7, 8], do: { kind: 'cut', by: 'rst', atByte } },
];

export function serveBytes(body: Buffer): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': body.length, 'content-type': 'application/octet-stream' });
    response.end(body);
  };
}

export interface GitFolder extends AsyncDisposable {
  readonly path: string;
  readonly head: string;
  /** A bare repository `NAME.git` whose folder `sub` is the submodule at this address. */
  addModule(name: string, url: string): void;
}

/** A folder with the bare repository `repo.git`, of one large file. */
export async function createRepository(sizeBytes = 600_000): Promise<GitFolder> {
  const path = await mkdtemp(join(tmpdir(), 'reknit-git-'));
  const work = join(path, 'work');
  const git = (cwd: string, ...args: readonly string[]) =>
    execFileSync('git', [...identity, ...args], { cwd, env: gitEnvironment, encoding: 'utf8' }).trim();
  git(path, 'init', '--quiet', '--initial-branch=main', work);
  await writeFile(join(work, 'large.bin'), randomBytes(sizeBytes));
  git(work, 'add', '.');
  git(work, 'commit', '--quiet', '--message=first');
  git(path, 'clone', '--quiet', '--bare', work, 'repo.git');
  return {
    path,
    head: git(work, 'rev-parse', 'HEAD'),
    addModule: (name, url) => {
      const above = join(path, `${name}-work`);
      const allow = ['-c', 'protocol.file.allow=always'];
      git(path, 'init', '--quiet', '--initial-branch=main', above);
      git(above, ...allow, 'submodule', '--quiet', 'add', work, 'sub');
      git(above, 'config', '--file', '.gitmodules', 'submodule.sub.url', url);
      git(above, 'add', '.gitmodules');
      git(above, 'commit', '--quiet', '--message=module');
      git(path, 'clone', '--quiet', '--bare', above, `${name}.git`);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
const gitEnvironment = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };

/** `git http-backend`, as git ships it, behind a host of CGI programs. */
export function serveGit(root: string): RequestListener {
  const backend = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend');
  return (request, response) => {
    const { pathname, search } = new URL(request.url!, 'http://host');
    const child = spawn(backend, {
      env: {
        ...gitEnvironment,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => {});
    request.pipe(child.stdin);
    passAnswer(child.stdout, request, response);
  };
}

/** CGI (RFC 3875): headers, an empty line, the body. */
function passAnswer(stdout: NodeJS.ReadableStream, request: IncomingMessage, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let isBody = false;
  stdout.on('data', (chunk: Buffer) => {
    if (isBody) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    isBody = true;
    const fields = head.subarray(0, end).toString('latin1').split('\r\n');
    const headers = fields.map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1];
    response.writeHead(Number(status?.slice(0, 3) ?? 200), Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
  });
  stdout.on('end', () => response.end());
  request.on('error', () => {});
  response.on('error', () => {});
}
