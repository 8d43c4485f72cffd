/** What the real servers have: an index of wheels, a registry of npm packages, an apt repository, a file. All made here. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const digest = (algorithm: string, bytes: Buffer, form: 'hex' | 'base64' = 'hex') =>
  createHash(algorithm).update(bytes).digest(form);

const KiB = 1024;

/** Together 5 MiB: none of the connections lives that long. */
const wheels = { 'reknit-large': 3_000 * KiB, 'reknit-middle': 1_500 * KiB, 'reknit-small': 500 * KiB };
const packages = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `reknit-${name}`);
const PACKAGE_BYTES = 800 * KiB;

export interface Wheel {
  readonly project: string;
  readonly file: string;
  readonly sha256: string;
}

/** A static simple index, below `folder`. */
export async function createIndex(folder: string): Promise<readonly Wheel[]> {
  const made: Wheel[] = [];
  for (const [project, sizeBytes] of Object.entries(wheels)) {
    const file = `${project.replace('-', '_')}-1.0-py3-none-any.whl`;
    const bytes = createWheel(project, sizeBytes);
    const sha256 = digest('sha256', bytes);
    await mkdir(join(folder, project), { recursive: true });
    await writeFile(join(folder, project, file), bytes);
    await writeFile(join(folder, project, 'index.html'), `<a href="${file}#sha256=${sha256}">${file}</a>\n`);
    made.push({ project, file, sha256 });
  }
  return made;
}

/** By Python itself, of bytes that cannot be compressed. */
export function createWheel(project: string, sizeBytes: number): Buffer {
  const code = `
import io, os, sys, zipfile
name, size = sys.argv[1], int(sys.argv[2])
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as archive:
    info = name.replace('-', '_') + '-1.0.dist-info/'
    archive.writestr(name.replace('-', '_') + '/data.bin', os.urandom(size))
    archive.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: ' + name + '\\nVersion: 1.0\\n')
    archive.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    archive.writestr(info + 'RECORD', '')
sys.stdout.buffer.write(out.getvalue())`;
  return execFileSync('python3', ['-c', code, project, String(sizeBytes)], { maxBuffer: 2 ** 24 });
}

export interface Project {
  readonly packageJson: string;
  readonly lock: string;
  /** By path below node_modules. */
  readonly files: Readonly<Record<string, string>>;
}

/** A registry of static files below `folder`, and a project that wants all of it. */
export async function createRegistry(folder: string, url: string): Promise<Project> {
  const work = await mkdtemp(join(tmpdir(), 'reknit-pack-'));
  const dependencies: Record<string, string> = {};
  const locked: Record<string, object> = {};
  const files: Record<string, string> = {};
  for (const name of packages) {
    const data = randomBytes(PACKAGE_BYTES);
    const tarball = await createTarball(join(work, name), { name, version: '1.0.0' }, data);
    const resolved = `${url}/${name}/-/${name}-1.0.0.tgz`;
    const integrity = `sha512-${digest('sha512', tarball, 'base64')}`;
    const dist = { tarball: resolved, integrity, shasum: digest('sha1', tarball) };
    await mkdir(join(folder, name, '-'), { recursive: true });
    await writeFile(join(folder, name, '-', `${name}-1.0.0.tgz`), tarball);
    const packument = {
      name,
      'dist-tags': { latest: '1.0.0' },
      versions: { '1.0.0': { name, version: '1.0.0', dist } },
    };
    await writeFile(join(folder, name, 'packument.json'), JSON.stringify(packument));
    dependencies[name] = '1.0.0';
    locked[`node_modules/${name}`] = { version: '1.0.0', resolved, integrity };
    files[`${name}/data.bin`] = digest('sha256', data);
  }
  await rm(work, { recursive: true });
  const project = { name: 'probe', version: '1.0.0', dependencies };
  const lock = { ...project, lockfileVersion: 3, requires: true, packages: { '': project, ...locked } };
  return { packageJson: JSON.stringify(project), lock: JSON.stringify(lock), files };
}

async function createTarball(folder: string, manifest: object, data: Buffer): Promise<Buffer> {
  await mkdir(join(folder, 'package'), { recursive: true });
  await writeFile(join(folder, 'package/package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'package/data.bin'), data);
  return execFileSync('tar', ['-czf', '-', '-C', folder, 'package'], { maxBuffer: 2 ** 24 });
}

export interface DebPackage {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
}

/** A repository of the suite `probe` with one package of 3 MiB. */
export async function createAptRepository(folder: string): Promise<DebPackage> {
  const work = await mkdtemp(join(tmpdir(), 'reknit-deb-'));
  const name = 'reknit-probe';
  const file = `${name}_1.0_all.deb`;
  await mkdir(join(work, 'DEBIAN'), { recursive: true });
  await mkdir(join(work, 'usr/share/reknit-probe'), { recursive: true });
  const control = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Test <test@example.com>\nDescription: probe\n`;
  await writeFile(join(work, 'DEBIAN/control'), control);
  await writeFile(join(work, 'usr/share/reknit-probe/data.bin'), randomBytes(3_000 * KiB));
  const lists = join(folder, 'dists/probe/main/binary-amd64');
  await mkdir(join(folder, 'pool'), { recursive: true });
  await mkdir(lists, { recursive: true });
  const path = join(folder, 'pool', file);
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Znone', work, path], { stdio: 'ignore' });
  await rm(work, { recursive: true });
  const bytes = await readFile(path);
  const sha256 = digest('sha256', bytes);
  const packages = `${control}Filename: pool/${file}\nSize: ${bytes.length}\nSHA256: ${sha256}\n\n`;
  await writeFile(join(lists, 'Packages'), packages);
  const line = ` ${digest('sha256', Buffer.from(packages))} ${packages.length} main/binary-amd64/Packages`;
  const about =
    'Suite: probe\nCodename: probe\nArchitectures: amd64\nComponents: main\nDate: Sat, 01 Jan 2022 00:00:00 UTC\n';
  await writeFile(join(folder, 'dists/probe/Release'), `${about}SHA256:\n${line}\n`);
  return { name, file, sha256 };
}

/** One file of 8 MiB. */
export async function createFile(path: string): Promise<string> {
  const bytes = randomBytes(8 * KiB * KiB);
  await writeFile(path, bytes);
  return digest('sha256', bytes);
}
