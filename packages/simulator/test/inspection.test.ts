/** What becomes of nodes that have their shares, prove them, and answer rounds wrongly. */
import { seatsOf } from '@skerry/wire';
import { expect, it } from 'vitest';
import { calm } from '../src/fates.ts';
import { idealCrypto } from '../src/ideal-crypto.ts';
import { type Kept, keepKeys } from '../src/keeping.ts';
import { createFindings } from '../src/scenario.ts';
import { checkers } from '../src/truth.ts';

const dayMs = 86_400_000;

/** Points that such nodes have, and those whose owners know it. */
function spoiltIn({ world, keys }: Kept): number {
  return keys
    .flatMap(({ manifest }) => (manifest ? seatsOf(manifest) : []))
    .filter(({ nodeKey }) => world.nodeOf(nodeKey)?.conduct === 'wrong-parts').length;
}

it('nodes that prove their shares and spoil rounds have none after some days, and no other node is blamed', () => {
  const findings = createFindings(checkers);
  const spoilt: number[] = [];
  const kept = keepKeys({
    seed: 'inspected',
    crypto: idealCrypto,
    nodeCount: 100,
    operatorCount: 16,
    keyCount: 24,
    risks: ['medium', 'high'],
    knownCount: 50,
    days: 10,
    quietDays: 0,
    auditMs: dayMs / 4,
    refreshMs: 0,
    openMs: 0,
    ownerAwayMs: 0,
    lot: calm,
    liars: 0.2,
    findings,
    onDay: (_, now) => spoilt.push(spoiltIn(now)),
  });
  expect(spoilt[0]).toBeGreaterThan(2);
  expect(spoilt.at(-1)).toBe(0);
  expect(findings.report()).toMatchObject({ ok: true });
  const { world } = kept;
  const caught = world.nodes.flatMap(({ shunned }) =>
    [...shunned].flatMap(([nodeId, untilMs]) => (untilMs === Number.POSITIVE_INFINITY ? [nodeId] : [])),
  );
  expect(caught.length).toBeGreaterThan(0);
  for (const nodeId of caught) expect(world.everNodeById(nodeId)?.conduct).not.toBe('honest');
});
