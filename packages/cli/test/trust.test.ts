import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentIn, run } from './captured-run.ts';
import { type DaemonProcess, startNetwork } from './daemons.ts';
import { createFolder } from './folder.ts';

type Row = { readonly nodeId: string; readonly placeVerdict: string };

describe('five daemons, one that has an opinion of two others, and one that verifies places', () => {
  const folder = createFolder();
  let daemons: DaemonProcess[];

  beforeAll(async () => {
    daemons = await startNetwork(folder.path, 5, {
      0: { 'trust.operator:op4': 'deny', 'trust.operator:op3': 'vouch', 'audit-minutes': '0' },
      1: { 'verify-place': 'yes', 'audit-minutes': '0' },
    });
  });
  afterAll(async () => {
    await Promise.all(daemons.map(async daemon => daemon.end('SIGKILL')));
    folder[Symbol.dispose]();
  });

  const at = async (index: number, ...argv: string[]) =>
    run(argv, { env: { SKERRY_HOME: daemons[index]!.home, NO_COLOR: '1' }, columns: 80 });
  const ask = async <T = object>(index: number, ...argv: string[]): Promise<T> =>
    documentIn(await at(index, ...argv, '--json')) as T;
  const idOf = (index: number): string => daemons[index]!.ready.nodeId;

  /** Asks until an answer is as wanted; a test that asks too long fails by its own limit. */
  async function askUntil<T>(wanted: (answer: T) => boolean, index: number, ...argv: string[]): Promise<T> {
    for (;;) {
      const answer = await ask<T>(index, ...argv);
      if (wanted(answer)) return answer;
      await new Promise(resolve => setTimeout(resolve, 250));
    }
  }

  /** No line is too long, but for one word that is to be copied. */
  function expectToFit(text: string): void {
    const broken = text.split('\n').filter(line => /\S .*\S/.test(line.trim()));
    for (const line of broken) expect(line.length).toBeLessThanOrEqual(80);
  }

  test('statements override, visibly; without evidence a node is a newcomer at 0.50', async () => {
    const { peers } = await ask<{ peers: Row[] }>(0, 'peers', 'ls');
    const rowOf = (index: number) => peers.find(({ nodeId }) => nodeId === idOf(index));
    expect(rowOf(4)).toMatchObject({ trust: 0, earned: 0.5, standing: 'denied', placeVerdict: 'unchecked' });
    expect(rowOf(3)).toMatchObject({ trust: 0.8, standing: 'stated', countsAs: null });
    const listed = (await at(0, 'peers', 'ls')).stdout;
    for (const trust of ['0.00 denied', '0.80 stated']) expect(listed).toContain(trust);
    expectToFit(listed);
    const newcomer = { trust: 0.5, earned: 0.5, standing: 'newcomer', integrity: 0.5, confidence: 0 };
    expect(await ask(4, 'peers', 'show', idOf(0))).toMatchObject({ ...newcomer, statement: null, seen: [] });
    expect((await at(4, 'peers', 'ls')).stdout).toContain('0.50 newcomer');
    const shown = (await at(0, 'peers', 'show', idOf(3))).stdout;
    expect(shown).toContain('Stated by this operator\n  vouch, which overrides the evidence\n');
    expectToFit(shown);
    const unknown = await at(0, 'peers', 'show', idOf(0));
    expect(unknown).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('PEER_UNREACHABLE') });
  });

  test('an open is evidence: where it comes from, how old it is, and in key explain then and now', async () => {
    await ask(0, 'key', 'create', '--alias', 'witnessed');
    await ask(0, 'key', 'open', 'witnessed');
    type Explained = {
      readonly certificate: { readonly holders: readonly Row[] };
      readonly holders: readonly (Row & { readonly now: { readonly main: { readonly kind: string } } })[];
    };
    const explained = await askUntil<Explained>(
      ({ holders }) => holders.some(({ now }) => now.main.kind === 'contribution'),
      0,
      'key',
      'explain',
      'witnessed',
    );
    expect(explained.holders.map(({ nodeId }) => nodeId)).not.toContain(idOf(4));
    for (const holder of explained.holders) {
      const isVouched = holder.nodeId === idOf(3);
      expect(holder).toMatchObject({ dealt: { trust: isVouched ? 0.8 : 0.5, place: 'as claimed' } });
      expect(explained.certificate.holders).toContainEqual(
        expect.objectContaining({ nodeId: holder.nodeId }),
      );
    }
    const answered = explained.holders.find(({ now }) => now.main.kind === 'contribution')!;
    expect(answered).toMatchObject({
      now: { standing: 'evidence', placeVerdict: 'unchecked', main: { source: 'own', count: 1 } },
    });
    const text = (await at(0, 'key', 'explain', 'witnessed')).stdout;
    expect(text).toMatch(/\n {2}took part in a round that came out right, .+ ago\n/);
    const peer = await ask<{ trust: number; seen: object[] }>(0, 'peers', 'show', answered.nodeId);
    expect(peer.trust).toBeGreaterThan(0.5);
    expect(peer.seen).toEqual([
      {
        kind: 'contribution',
        meaning: 'took part in a round that came out right',
        count: 1,
        adds: { availability: { good: 0.5, bad: 0 }, integrity: { good: 0.5, bad: 0 } },
        ageMs: expect.any(Number),
      },
    ]);
    const shown = (await at(0, 'peers', 'show', answered.nodeId)).stdout;
    expect(shown).toMatch(/round that came out right\n {4}1 time, last .+ ago; availability \+0\.50,\s/);
    expectToFit(shown);

    // the holder hears of it in the opener's next announcement
    const holder = daemons.findIndex(({ ready }) => ready.nodeId === answered.nodeId);
    type Told = { readonly standing: { readonly reports: readonly { nodeId: string; says: object }[] } };
    const says = { availability: { good: 0.5, bad: 0 }, integrity: { good: 0.5, bad: 0 } };
    const isTold = ({ standing: { reports } }: Told): boolean =>
      reports.some(
        ({ nodeId, says: said }) => nodeId === idOf(0) && JSON.stringify(said) === JSON.stringify(says),
      );
    await askUntil(isTold, holder, 'status');
    const standing = (await at(holder, 'status')).stdout;
    expect(standing).toMatch(
      /\nstanding +0\.50; reports: \d, with weight here: 0; place un\w+ \(skerry doctor\)\n/,
    );
    const doctored = (await at(holder, 'doctor')).stdout;
    expect(doctored).toContain('What others say of this node');
    expect(doctored).toContain(`..${idOf(0).slice(-6)} (op0)`);
    expectToFit(doctored);
  }, 120_000);

  test('where places are verified, claims that cannot be are shown beside their verdict, and plan takes that', async () => {
    type Peers = {
      readonly peers: readonly (Row & { readonly location: object; readonly countsAs: object })[];
    };
    const listed = await askUntil<Peers>(
      ({ peers }) => peers.every(({ placeVerdict }) => placeVerdict === 'refuted'),
      1,
      'peers',
    );
    const tokyo = listed.peers.find(({ nodeId }) => nodeId === idOf(2))!;
    expect(tokyo).toMatchObject({
      location: { name: 'Tokyo', country: 'JP', region: '030' },
      standing: 'place-refuted',
      trust: 0.25,
      countsAs: { region: 'refuted' },
    });
    const shown = (await at(1, 'peers', 'show', idOf(2))).stdout;
    expect(shown).toMatch(/\nplace +Tokyo, JP \(.*\): its claim, refuted\n/);
    expect(shown.replace(/\s+/g, ' ')).toMatch(
      /\.\.\w{6} measures \d+\.\d ms: at most [\d,]+ km; by the claim it would be/,
    );
    expectToFit(shown);
    const path = folder.path('peers.json');
    writeFileSync(path, JSON.stringify(listed));
    const plan = ['plan', '--risk', 'low', '--profile', 'local', '--accept-reduced'];
    const planned = await ask(1, ...plan);
    expect(await ask(1, ...plan, '--peers', path)).toEqual(planned);
    expect(planned).toMatchObject({ error: { code: 'PLACEMENT_INFEASIBLE' } });
  }, 120_000);

  test('doctor says what is wrong and what to do, and ends well whatever it finds', async () => {
    type Doctored = {
      readonly ok: boolean;
      readonly checks: readonly { readonly name: string; readonly verdict: string }[];
    };
    const verdictsOf = ({ checks }: Doctored) =>
      Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]));
    const healthy = await ask<Doctored>(2, 'doctor');
    expect(healthy).toMatchObject({ ok: true, standing: { place: { verdict: 'unchecked' } } });
    expect(verdictsOf(healthy)).toMatchObject({
      standing: 'ok',
      listening: 'ok',
      peers: 'ok',
      shares: 'ok',
      backup: 'warn',
      keys: 'ok',
      audits: 'ok',
      'verify-place': 'ok',
    });
    // the others started from the first node, so they have connected to it
    expect((await at(0, 'doctor')).stdout.replace(/\s+/g, ' ')).toMatch(/others opened [1-9]\d* connections/);
    const misplaced = await askUntil<Doctored>(({ ok }) => !ok, 1, 'doctor');
    expect(verdictsOf(misplaced)).toMatchObject({ place: 'bad', audits: 'warn' });
    const told = await at(1, 'doctor');
    expect(told.exitCode).toBe(0);
    expect(told.stdout).toMatch(/bad +place +the round trips of this node contradict \d of \d/);
    expect(told.stdout).toMatch(/\n\d+ ok, \d+ to look at, 1 bad\.\n/);
  }, 60_000);
});
