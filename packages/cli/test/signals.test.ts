import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { run } from './captured-run.ts';
import { startProcess } from './daemons.ts';
import { createFolder } from './folder.ts';

test('a daemon that cannot start says why and ends, without being told to', async () => {
  using folder = createFolder();
  const home = folder.path('home');
  await run(['init', '--location', 'Madrid, ES', '--profile', 'local'], { env: { SKERRY_HOME: home } });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { first, child } = await startProcess(['run', '--listen', `/ip4/127.0.0.1/tcp/${port}`], home);
  expect(first).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(2);
  server.close();
});
