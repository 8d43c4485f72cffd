// The lab as a server of clean bytes: it must never be what limits the client that it judges.
const [dist] = process.argv.slice(2);
const { startLab } = await import(new URL('lab/index.js', dist));
const lab = await startLab();
const runs = new Map();
process.on('message', ({ bytes }) => {
  if (!runs.has(bytes)) runs.set(bytes, lab.play({ name: 'clean', resource: { sizeBytes: bytes } }));
  process.send({ url: runs.get(bytes).url });
});
process.on('disconnect', () => process.exit());
process.send({ isReady: true });
