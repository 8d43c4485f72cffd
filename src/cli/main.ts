#!/usr/bin/env node
/** The command line: parse, load the command, print, exit. */
import { runCommandLine } from './program.ts';

// Whoever closes the pipe (`| head`) has read enough; that is no reason for a stack trace.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(1);
    throw error;
  });
}

const code = await runCommandLine(process.argv.slice(2));
// Output to a pipe is not written yet when a process ends by itself; what it says must arrive first.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
process.exit(code);
