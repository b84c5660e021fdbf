import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Captured, documentIn, run } from './captured-run.ts';
import { type DaemonProcess, startDaemon, startNetwork, untilAlive } from './daemons.ts';
import { createFolder } from './folder.ts';

describe('five daemons in processes of their own', () => {
  const folder = createFolder();
  let daemons: DaemonProcess[];

  beforeAll(async () => {
    daemons = await startNetwork(folder.path, 5);
  });
  afterAll(async () => {
    await Promise.all(daemons.map(async daemon => daemon.end('SIGKILL')));
    folder[Symbol.dispose]();
  });

  async function at(index: number, argv: readonly string[], stdin?: Uint8Array): Promise<Captured> {
    return run([...argv, '--json'], { env: { SKERRY_HOME: daemons[index]!.home }, ...(stdin && { stdin }) });
  }

  const codeOf = (result: Captured): string =>
    (documentIn(result) as { error?: { code: string } }).error?.code ?? 'no error';

  /** A key of node 0 by 2 of 4 holders, which are all the others. */
  async function makeKey(alias: string): Promise<string> {
    const counts = ['--t', '2', '--n', '3', '--k', '4'];
    const made = await at(0, ['key', 'import', '-', '--alias', alias, ...counts], randomBytes(20));
    return (documentIn(made) as { keyId: string }).keyId;
  }

  async function grantTo(key: string, index: number): Promise<{ token: string; jti: string }> {
    const granted = await at(0, ['grant', key, '--to', daemons[index]!.ready.nodeId]);
    return documentIn(granted) as { token: string; jti: string };
  }

  async function openAt(index: number, keyId: string, token: string): Promise<string> {
    return codeOf(await at(index, ['key', 'open', keyId, '--grant', token]));
  }

  async function restart(indices: readonly number[]): Promise<void> {
    const running = daemons.find((_, index) => !indices.includes(index))!;
    await Promise.all(
      indices.map(async index => {
        daemons[index] = await startDaemon(daemons[index]!.home, running.ready.listen);
      }),
    );
    for (const { home } of daemons) await untilAlive(home, daemons.length - 1);
  }

  test('a grant is revoked by its jti, by its token, or with all the others of its key', async () => {
    const keyId = await makeKey('revocable');
    const [first, second, third] = [
      await grantTo(keyId, 1),
      await grantTo(keyId, 1),
      await grantTo(keyId, 2),
    ];
    expect(await openAt(1, keyId, first.token)).toBe('no error');
    const revoked = await at(0, ['revoke', first.jti]);
    expect(documentIn(revoked)).toMatchObject({
      keyId,
      jti: first.jti,
      acknowledged: 4,
      needed: 3,
      effective: true,
    });
    expect(await openAt(1, keyId, first.token)).toBe('GRANT_REVOKED');
    expect(await openAt(1, keyId, second.token)).toBe('no error');
    expect((await at(0, ['revoke', second.token])).exitCode).toBe(0);
    expect(await openAt(1, keyId, second.token)).toBe('GRANT_REVOKED');
    expect(await openAt(2, keyId, third.token)).toBe('no error');
    expect((await at(0, ['revoke', 'revocable', '--all'])).exitCode).toBe(0);
    const refused = await at(2, ['key', 'open', keyId, '--grant', third.token]);
    expect([codeOf(refused), refused.exitCode]).toEqual(['GRANT_REVOKED', 3]);
    const { grants } = documentIn(await at(0, ['key', 'show', keyId])) as { grants: object[] };
    expect(grants).toEqual(
      expect.arrayContaining(
        [first, second, third].map(({ jti }) => expect.objectContaining({ jti, revoked: true })),
      ),
    );
    const later = await grantTo(keyId, 2);
    expect(await openAt(2, keyId, later.token)).toBe('no error');
    expect((await at(0, ['key', 'open', 'revocable'])).exitCode).toBe(0);
  });

  test('only the owner revokes, and what is no grant is said to be none', async () => {
    const keyId = await makeKey('mine');
    const { token } = await grantTo(keyId, 1);
    expect(codeOf(await at(1, ['revoke', token]))).toBe('GRANT_INVALID');
    expect(codeOf(await at(1, ['revoke', keyId, '--all']))).toBe('GRANT_INVALID');
    expect(codeOf(await at(1, ['key', 'destroy', keyId]))).toBe('KEY_UNKNOWN');
    expect(codeOf(await at(0, ['revoke', 'neverGivenGrant']))).toBe('GRANT_INVALID');
    expect(codeOf(await at(0, ['revoke', 'x'.repeat(200)]))).toBe('GRANT_INVALID');
    expect(codeOf(await at(0, ['revoke', keyId]))).toBe('USAGE');
    expect(await openAt(1, keyId, token)).toBe('no error');
  });

  test('too few holders make a revocation pending; it reaches them when they are back, and by then holds', {
    timeout: 60_000,
  }, async () => {
    const keyId = await makeKey('pending');
    const { token, jti } = await grantTo(keyId, 1);
    await Promise.all([2, 3].map(async index => daemons[index]!.end('SIGKILL')));
    const pending = await at(0, ['revoke', jti]);
    expect([codeOf(pending), pending.exitCode]).toEqual(['REVOCATION_PENDING', 4]);
    expect(pending.stdout).toContain(daemons[2]!.ready.nodeId);
    await restart([2, 3]);
    const settled = async (): Promise<number> => (await at(0, ['revoke', jti])).exitCode;
    while ((await settled()) !== 0) await new Promise(resolve => setTimeout(resolve, 100));
    expect(await openAt(1, keyId, token)).toBe('GRANT_REVOKED');
  });

  test('a destroyed key is opened by nobody, and a holder and an owner that were away go on with it', {
    timeout: 60_000,
  }, async () => {
    const [plain, sealed] = ['plain', 'sealed'].map(folder.path) as [string, string];
    writeFileSync(plain, 'Forget me. '.repeat(100));
    const done = documentIn(await at(0, ['seal', plain, '-o', sealed])) as { keyId: string; k: number };
    const { token } = await grantTo(done.keyId, 1);
    const shown = documentIn(await at(0, ['key', 'show', done.keyId])) as { holders: { nodeId: string }[] };
    const holding = shown.holders.map(({ nodeId }) =>
      daemons.findIndex(({ ready }) => ready.nodeId === nodeId),
    );
    const away = holding.slice(1);
    await Promise.all(away.map(async index => daemons[index]!.end('SIGKILL')));
    const pending = await at(0, ['key', 'destroy', done.keyId]);
    expect([codeOf(pending), pending.exitCode]).toEqual(['DESTRUCTION_PENDING', 4]);
    await daemons[0]!.end('SIGKILL');
    await restart([...away, 0]);
    const settled = async (): Promise<number> => (await at(0, ['key', 'destroy', done.keyId])).exitCode;
    while ((await settled()) !== 0) await new Promise(resolve => setTimeout(resolve, 100));
    const opened = await at(0, ['open', sealed, '-o', folder.path('never')]);
    expect([codeOf(opened), opened.exitCode]).toEqual(['KEY_DESTROYED', 3]);
    expect(existsSync(folder.path('never'))).toBe(false);
    expect(await openAt(1, done.keyId, token)).toBe('KEY_DESTROYED');
    expect(codeOf(await at(0, ['grant', done.keyId, '--to', daemons[1]!.ready.nodeId]))).toBe(
      'KEY_DESTROYED',
    );
    expect((await run(['key', 'ls'], { env: { SKERRY_HOME: daemons[0]!.home } })).stdout).toContain(
      'DESTROYED',
    );
    expect(readFileSync(sealed).length).toBeGreaterThan(1000);
  });

  test('the alias of a destroyed key is free for another one', async () => {
    const first = await makeKey('phoenix');
    await grantTo(first, 1);
    expect((await at(0, ['key', 'destroy', 'phoenix'])).exitCode).toBe(0);
    const { stdout } = await run(['key', 'show', first], { env: { SKERRY_HOME: daemons[0]!.home } });
    expect(stdout).toContain('shares  destroyed');
    expect(stdout).not.toContain('live');
    expect(stdout).not.toContain('grant ');
    const second = await makeKey('phoenix');
    expect(second).not.toBe(first);
    expect(documentIn(await at(0, ['key', 'show', 'phoenix']))).toMatchObject({ keyId: second });
  });
});
