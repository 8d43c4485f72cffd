// What one `import` takes in a process that has done nothing else; undefined imports nothing.
const [specifier] = process.argv.slice(2);
const cpuBefore = process.cpuUsage();
const startedAtMs = performance.now();
if (specifier !== undefined) await import(specifier);
const wallMs = performance.now() - startedAtMs;
const { user, system } = process.cpuUsage(cpuBefore);
process.stdout.write(JSON.stringify({ wallMs, cpuMs: (user + system) / 1000 }));
