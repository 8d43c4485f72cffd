import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/diagnose/blind.play.ts'], pool: 'forks', disableConsoleIntercept: true },
});
