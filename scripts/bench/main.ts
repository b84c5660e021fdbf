/**
 * `npm run bench [-- --quick] [-- --json]`: measures Skerry against named peers in the same run. Figures are medians;
 * what counts on a busy machine is the ratio to the peer, and the spread beside it. A ratio says how many times better
 * Skerry is, so 0.5x of a peer's latency is twice as slow. A missed goal is told, and ends nothing.
 */
import { parseArgs } from 'node:util';
import type { Case } from './case.ts';
import { entropyCases } from './entropy.ts';
import { networkCases } from './network.ts';
import { placementCases } from './placement.ts';
import { sealingCases } from './sealing.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function row({ name, value, unit, peer, absent, ratio, goal, met, spread }: Case): string {
  const lacking = absent === null ? '' : `nothing to hold it against: ${absent} is not installed`;
  const against = ratio === null ? lacking : `${figure(ratio)}x of ${peer}`;
  const verdict = met === null ? '' : `goal ${goal}x ${met ? 'met' : 'MISSED'}`;
  return [
    name.padEnd(44),
    `${figure(value)} ${unit}`.padEnd(14),
    `+-${(50 * spread).toFixed(0)} %`.padEnd(9),
    against,
    verdict,
  ]
    .join(' ')
    .trimEnd();
}

const cases: Case[] = [];
for (const measure of [entropyCases, sealingCases, placementCases, networkCases]) {
  for (const measured of await measure({ quick: flags.quick })) {
    cases.push(measured);
    if (!flags.json) console.log(row(measured));
  }
}
if (flags.json) console.log(JSON.stringify({ cases }, null, 2));
