/** Keys that are mended, dealt anew and succeeded from the command line, over daemons in processes of their own. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Captured, documentIn, run } from './captured-run.ts';
import { type DaemonProcess, startDaemon, startNetwork, untilAlive } from './daemons.ts';
import { createFolder } from './folder.ts';

type KeyDocument = {
  readonly keyId: string;
  readonly epoch: number;
  readonly holders: readonly { readonly nodeId: string; readonly live: boolean }[];
};

describe('seven daemons in processes of their own', () => {
  const folder = createFolder();
  let daemons: DaemonProcess[];

  beforeAll(async () => {
    daemons = await startNetwork(folder.path, 7);
  });
  afterAll(async () => {
    await Promise.all(daemons.map(async daemon => daemon.end('SIGKILL')));
    folder[Symbol.dispose]();
  });

  /** Runs a command at the first node, whose keys these are. */
  async function at0(...argv: string[]): Promise<Captured> {
    return run(argv, { env: { SKERRY_HOME: daemons[0]!.home } });
  }

  async function json(...argv: string[]): Promise<Record<string, unknown>> {
    return documentIn(await at0(...argv, '--json')) as Record<string, unknown>;
  }

  async function makeKey(alias: string, ...flags: string[]): Promise<KeyDocument> {
    return (await json('key', 'create', '--alias', alias, ...flags)) as unknown as KeyDocument;
  }

  const keyText = async (alias: string): Promise<unknown> => (await json('key', 'open', alias))['key'];

  test('a share is made again elsewhere at once, and the key says how it stands', async () => {
    const made = await makeKey('mended', '--t', '2', '--n', '3', '--k', '4');
    expect(made).toMatchObject({ level: 'full', margin: 2, moved: 0, exposed: false, settled: true });
    const before = await keyText('mended');
    expect((await at0('key', 'repair', 'mended')).stdout).toContain('every holder proved its share');
    const gone = daemons.findIndex(({ ready }) => ready.nodeId === made.holders[0]!.nodeId);
    await daemons[gone]!.end('SIGKILL');
    expect(await json('key', 'show', 'mended')).toMatchObject({ level: 'thin', margin: 1, live: 3 });
    const repaired = await json('key', 'repair', 'mended');
    expect(repaired).toMatchObject({
      level: 'full',
      moved: 1,
      points: [{ from: made.holders[0]!.nodeId, repaired: true, code: null }],
    });
    expect(await keyText('mended')).toBe(before);
    daemons[gone] = await startDaemon(daemons[gone]!.home, daemons[0]!.ready.listen);
    await untilAlive(daemons[0]!.home, 6);
    const other = (repaired as unknown as KeyDocument).holders[1]!.nodeId;
    const moved = await at0('key', 'repair', 'mended', '--from', other);
    expect(moved.stdout).toContain(`${other}\n  -> `);
    const stranger = await json('key', 'repair', 'mended', '--from', other);
    expect(stranger).toMatchObject({ error: { code: 'USAGE' } });
  });

  test('a key is dealt anew as it is, or for more; never for less than what is under it', async () => {
    const made = await makeKey('renewed');
    const before = await keyText('renewed');
    expect(await json('key', 'refresh', 'renewed')).toMatchObject({ epoch: 2, keyId: made.keyId });
    const higher = await json('key', 'reshare', 'renewed', '--risk', 'medium');
    expect(higher).toMatchObject({ epoch: 3, risk: 'medium', wanted: 'medium' });
    expect(await keyText('renewed')).toBe(before);
    const lower = await at0('key', 'reshare', 'renewed', '--risk', 'low', '--json');
    expect(lower.exitCode).toBe(3);
    expect(documentIn(lower)).toMatchObject({ error: { code: 'RISK_BELOW_MINIMUM' } });
    expect(await json('key', 'reshare', 'renewed')).toMatchObject({ error: { code: 'USAGE' } });
    const half = await json('key', 'reshare', 'renewed', '--t', '2');
    expect(half).toMatchObject({ error: { code: 'USAGE' } });
    const out = await at0('key', 'reshare', 'renewed', '--t', '3', '--n', '200', '--k', '250', '--json');
    expect(out.exitCode).toBe(3);
    expect(await json('key', 'show', 'renewed')).toMatchObject({ epoch: 3 });
  });

  test('files share a key, which rises with what is under it; a file is sealed again under another', async () => {
    const [calm, wild, a, b, c, out] = ['calm', 'wild', 'a', 'b', 'c', 'out'].map(folder.path) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    writeFileSync(calm, 'Many a mickle makes a muckle. '.repeat(3_000));
    writeFileSync(wild, randomBytes(90_000));
    await makeKey('shared');
    expect(await json('seal', calm, '-o', a, '--key', 'shared')).toMatchObject({ risk: 'low', t: 2 });
    // high is out of reach here: what would be under the key is not sealed, and the key is as it was
    const refused = await at0('seal', wild, '-o', b, '--key', 'shared', '--json');
    expect(documentIn(refused)).toMatchObject({ error: { code: 'PLACEMENT_INFEASIBLE' } });
    expect(existsSync(b)).toBe(false);
    expect(await json('key', 'show', 'shared')).toMatchObject({ epoch: 1, wanted: 'low' });
    const reduced = await json('seal', wild, '-o', b, '--key', 'shared', '--accept-reduced');
    expect(reduced).toMatchObject({ risk: 'high', reduced: true });
    expect(await json('key', 'show', 'shared')).toMatchObject({ epoch: 2, risk: 'high', wanted: 'high' });
    expect((await json('status'))['keysReduced']).toHaveLength(1);
    for (const [sealed, plain] of [
      [a, calm],
      [b, wild],
    ] as const) {
      expect((await at0('open', sealed, '-o', out)).exitCode).toBe(0);
      expect(readFileSync(out)).toEqual(readFileSync(plain));
    }
    const resealed = await json('reseal', a, '-o', c, '--destroy-old');
    const shown = await json('key', 'show', String(resealed['formerKeyId']));
    expect(shown).toMatchObject({ destroyed: true, successor: resealed['keyId'] });
    expect(shown['deletions']).toHaveLength((shown as unknown as KeyDocument).holders.length);
    expect((await at0('key', 'show', String(resealed['formerKeyId']))).stdout).toContain('can not be shown');
    expect((await at0('open', c, '-o', out)).exitCode).toBe(0);
    expect(readFileSync(out)).toEqual(readFileSync(calm));
    expect((await at0('open', b, '-o', out, '--json')).exitCode).toBe(3);
    const torn = folder.path('torn');
    writeFileSync(torn, readFileSync(c).subarray(0, 50_000));
    const broken = await json('reseal', torn, '-o', folder.path('d'));
    expect(broken).toMatchObject({ error: { code: 'SEALED_FILE_MALFORMED' } });
    expect(existsSync(folder.path('d'))).toBe(false);
  });
});
