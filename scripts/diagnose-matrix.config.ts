import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/diagnose/matrix.play.ts'], pool: 'forks', disableConsoleIntercept: true },
});
