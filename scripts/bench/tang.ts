import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { endProcess, startProcess, until } from '../cluster.ts';

/** clevis with tang servers on this machine, all of one sss pin. */
export type Tang = {
  /** Encrypts, as a whole process. @returns the JWE */
  readonly encrypt: (plaintext: Uint8Array) => Promise<Uint8Array>;
  /** Decrypts, as a whole process. */
  readonly decrypt: (jwe: Uint8Array) => Promise<Uint8Array>;
  readonly end: () => Promise<void>;
};

/** Where distributions put the server, which is not for a user to call. */
const tangFolders = ['/usr/libexec', '/usr/lib', '/usr/local/libexec'];

const installed = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Whether a program is on the path. */
async function hasProgram(name: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(':');
  return (await Promise.all(folders.map(async folder => installed(join(folder, name))))).includes(true);
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs a program on some input, and gives its output. @throws where it fails */
async function pipe(program: string, argv: readonly string[], input: Uint8Array): Promise<Uint8Array> {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  const [chunks, complaints]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(complaints).toString()}`);
  return Buffer.concat(chunks);
}

async function startServer(libexec: string, folder: string): Promise<{ url: string; child: ChildProcess }> {
  await mkdir(folder);
  await pipe(join(libexec, 'tangd-keygen'), [folder], new Uint8Array());
  const port = await freePort();
  const listening = `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr`;
  const child = startProcess('socat', [listening, `EXEC:${join(libexec, 'tangd')} ${folder}`], 'ignore');
  const url = `http://127.0.0.1:${port}`;
  await until(async () =>
    fetch(`${url}/adv`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { url, child };
}

/**
 * Starts tang servers, each a `tangd` behind `socat` as its manual has it without systemd.
 *
 * @param folder for their keys
 * @param count of them
 * @param t how many of them it takes to decrypt
 * @returns undefined where clevis, tang or socat is not installed
 */
export async function startTang(folder: string, count: number, t: number): Promise<Tang | undefined> {
  const found = await Promise.all(tangFolders.map(async path => installed(join(path, 'tangd'))));
  const libexec = tangFolders[found.indexOf(true)];
  if (libexec === undefined || !(await hasProgram('clevis')) || !(await hasProgram('socat')))
    return undefined;
  const servers = await Promise.all(
    Array.from({ length: count }, async (_, i) => startServer(libexec, join(folder, `tang-${i}`))),
  );
  const pin = JSON.stringify({ t, pins: { tang: servers.map(({ url }) => ({ url })) } });
  return {
    encrypt: async plaintext => pipe('clevis', ['encrypt', 'sss', pin, '-y'], plaintext),
    decrypt: async jwe => pipe('clevis', ['decrypt'], jwe),
    end: async () => void (await Promise.all(servers.map(async ({ child }) => endProcess(child)))),
  };
}
