/** What proves a file, and what is not believed at once. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { download, downloadTo, downloadToBuffer } from '../../src/download/index.ts';
import { type Scenario, startLab } from '../../src/lab/index.ts';
import { createFolder } from '../cli/command.ts';

const MiB = 1_048_576;
const quick = { retry: { maxAttempts: 4, baseDelayMs: 1, maxDelayMs: 5 } };
const plain: Scenario = { name: 'plain', resource: { sizeBytes: MiB } };
const html = { kind: 'captive-portal' } as const;

test('a list of checksums proves the file by its name, from a path and from a URL', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play(plain);
  const other = '1'.repeat(64);
  const lists = {
    gnu: `${other}  other.bin\n${run.sha256} *file.bin\n`,
    bsd: `SHA256 (other.bin) = ${other}\nSHA256 (file.bin) = ${run.sha256}\n`,
    folders: `${other}  ./a/other.bin\n${run.sha256}  ./a/file.bin\n`,
    bare: `${run.sha256}\n`,
  };
  for (const [name, text] of Object.entries(lists)) {
    await writeFile(folder.file(`${name}.sums`), text);
    const list = lab.play({ name: 'list', resource: { bodyText: text } });
    for (const checksum of [folder.file(`${name}.sums`), list.url]) {
      const { integrity } = await download(run.url, { to: folder.file('a'), force: true, checksum });
      expect(integrity, name).toBe('digest');
    }
  }
});

test('a list without an entry, and one that cannot be read, are refused before the file is asked for', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play(plain);
  await writeFile(folder.file('sums'), `${'1'.repeat(64)}  other.bin\n`);
  for (const checksum of [folder.file('sums'), folder.file('absent')]) {
    await expect(download(run.url, { to: folder.file('a'), checksum })).rejects.toMatchObject({
      code: 'ERR_REKNIT_CONFIG',
    });
  }
  expect(run.requestCount).toBe(0);
});

test('where proof is required, an end that nothing proves is an error and no file', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({ name: 'unproven', resource: { sizeBytes: MiB, framing: 'close', ranges: 'ignored' } });
  const failed = download(run.url, { to: folder.file('a'), requireProof: true, ...quick });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_REKNIT_INTEGRITY' });
  expect(existsSync(folder.file('a'))).toBe(false);
  const checksum = `sha256:${run.sha256}`;
  expect((await download(run.url, { to: folder.file('a'), requireProof: true, checksum })).integrity).toBe('digest');
});

test('an end that nothing told is proven by what does not follow it', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({ name: 'whole', resource: { sizeBytes: MiB, framing: 'close', validator: 'none' } });
  const { integrity, sha256 } = await download(run.url, { to: folder.file('a'), ...quick });
  expect([integrity, sha256]).toEqual(['length', run.sha256]);
  expect(run.record.requests.map(({ range, answered }) => [range, answered.status])).toEqual([
    [undefined, 200],
    [`bytes=${MiB}-`, 416],
  ]);
});

for (const validator of ['strong', 'none'] as const) {
  test(`a body with validator ${validator} that was cut without a sign is noticed by what follows, and comes whole`, async () => {
    await using lab = await startLab();
    await using folder = await createFolder();
    const run = lab.play({
      name: 'cut-in-silence',
      resource: { sizeBytes: MiB, framing: 'close', validator },
      requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: MiB / 2 } }],
    });
    const { integrity, sha256, refetchedBytes } = await download(run.url, { to: folder.file('a'), ...quick });
    expect([integrity, sha256]).toEqual(['length', run.sha256]);
    // Under a validator the rest is enough.
    if (validator === 'strong') expect(refetchedBytes).toBeLessThan(MiB / 4);
  });
}

test('a stream that was cut without a sign ends in an error, and not in silence', async () => {
  await using lab = await startLab();
  const run = lab.play({
    name: 'cut-in-silence',
    resource: { sizeBytes: MiB, framing: 'close', validator: 'none' },
    requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: MiB / 2 } }],
  });
  await expect(downloadToBuffer(run.url, quick)).resolves.toMatchObject({ sha256: run.sha256 });
  const again = lab.play({
    name: 'cut-again',
    resource: { sizeBytes: MiB, framing: 'close', validator: 'none' },
    requests: [{ on: 1, do: { kind: 'cut', by: 'fin', at: 'body', atByte: MiB / 2 } }],
  });
  const to = new PassThrough().resume();
  await expect(downloadTo(to, again.url, quick)).rejects.toThrow(/ended without a sign at byte 524,288 of 1,048,576/);
});

test("a page under a file's name is asked for again, and refused when it comes twice", async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const once = lab.play({ ...plain, requests: [{ on: 1, do: html }] });
  expect((await download(once.url, { to: folder.file('a'), ...quick })).sha256).toBe(once.sha256);
  const always = lab.play({ ...plain, requests: [{ on: 'every', do: html }] });
  await expect(download(always.url, { to: folder.file('b'), ...quick })).rejects.toMatchObject({
    code: 'ERR_REKNIT_INTEGRITY',
    message: expect.stringContaining('an HTML page where the name says .bin, twice'),
  });
  expect(always.requestCount).toBe(2);
  expect(existsSync(folder.file('b'))).toBe(false);
  expect((await download(always.url, { to: folder.file('b.html'), ...quick })).bytes).toBeGreaterThan(0);
});

test('a length that shrank under the same name is believed when it is seen twice', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const run = lab.play({
    name: 'shrinks',
    resource: { sizeBytes: 2 * MiB, validator: 'none' },
    changes: [{ fromRequest: 2, sizeBytes: MiB }],
    requests: [{ on: 1, do: { kind: 'cut', by: 'rst', at: 'body', atByte: MiB / 2 } }],
  });
  const { bytes, notes } = await download(run.url, { to: folder.file('a'), ...quick });
  expect(bytes).toBe(MiB);
  expect(notes).toEqual(['the length was 2,097,152 and is now 1,048,576: the server said so twice']);
});

test('a wrong content is asked for once more, and the error says whether the same came twice, or where the two differ', async () => {
  await using lab = await startLab();
  await using folder = await createFolder();
  const checksum = `sha256:${'1'.repeat(64)}`;
  const same = lab.play(plain);
  await expect(download(same.url, { to: folder.file('a'), checksum, ...quick })).rejects.toMatchObject({
    code: 'ERR_REKNIT_INTEGRITY',
    message: expect.stringMatching(
      /expected sha256 1{64}, got [0-9a-f]{64} in 1,048,576 bytes; the same content came twice/,
    ),
  });
  expect(same.requestCount).toBe(2);
  const other = lab.play({ ...plain, changes: [{ fromRequest: 2 }] });
  await expect(download(other.url, { to: folder.file('a'), checksum, ...quick })).rejects.toMatchObject({
    message: expect.stringContaining('; the two copies differ in bytes 0 to 4,194,303'),
  });
  expect(existsSync(folder.file('a'))).toBe(false);
});
