import { equalBytes, SkerryError } from '@skerry/base';
import { nodeRandom } from '@skerry/crypto';
import { array, assert, asyncProperty, constant, constantFrom, oneof } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { asksMax, openDeadlineMs } from '../parameters.ts';
import { type Conduct, createDesk, type Desk } from './desk.ts';
import { hopMs, type OpenOutcome } from './world.ts';

/** What a holder may be; the first is the only one that is of use. */
const natures = [
  'honest',
  'liar',
  'fickle',
  'silent',
  'trickling',
  'refusing',
  'unreachable',
  'noisy',
  'busy',
] as const;
type Nature = (typeof natures)[number];

function conductOf(all: readonly Nature[], manifestX: readonly number[]): Conduct {
  const spoils = (x: number): boolean => !['honest'].includes(all[manifestX.indexOf(x)]!);
  return ({ holder, request, before, honest, signed }) => {
    const lie = () => signed(nodeRandom.bytes(request.length));
    switch (all[holder]!) {
      case 'honest':
        // A contribution to a set that another member spoils is random to its recipient whoever makes it.
        return { answer: request.set.some(spoils) ? lie() : honest() };
      case 'liar':
        return { answer: lie() };
      case 'fickle':
        return before % 2 === 0 ? { answer: lie() } : undefined;
      case 'silent':
        return undefined;
      case 'trickling':
        return { answer: lie(), afterMs: 140 + 10 * (before % 10) };
      case 'refusing':
        return { answer: 'GRANT_EXPIRED' };
      case 'unreachable':
        return { answer: 'PEER_UNREACHABLE', afterMs: 1000 };
      case 'noisy':
        return { answer: nodeRandom.bytes(60) };
      case 'busy':
        return { answer: 'TOO_BUSY', afterMs: 1 };
    }
  };
}

/** What an open promises whatever happens: the right key or a coded error, in time, with a bound on requests. */
function promiseOf(desk: Desk, { result, tookMs, asks }: OpenOutcome) {
  const key = result instanceof SkerryError ? undefined : result.payload.subarray(0, desk.key.length);
  const isRight = key && equalBytes(key, desk.key);
  return { isRight, inTime: tookMs <= openDeadlineMs, isBounded: asks <= asksMax };
}
const opened = { isRight: true, inTime: true, isBounded: true };
const failed = { ...opened, isRight: undefined };

describe.each([
  { t: 2, n: 3, k: 4 },
  { t: 3, n: 4, k: 5 },
  { t: 4, n: 5, k: 7 },
  { t: 3, n: 5, k: 8 },
])('an open of $t of $k holders', counts => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await createDesk(counts);
  });

  it('gives the key exactly if t holders are honest, whatever the others are', async () => {
    const xs = desk.manifest.core.holders.map(({ x }) => x);
    await assert(
      asyncProperty(
        array(oneof({ weight: 3, arbitrary: constant('honest' as const) }, constantFrom(...natures)), {
          minLength: counts.k,
          maxLength: counts.k,
        }),
        async all => {
          const honestCount = all.filter(nature => nature === 'honest').length;
          const outcome = await desk.open(conductOf(all, xs));
          expect(promiseOf(desk, outcome)).toEqual(honestCount >= counts.t ? opened : failed);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('an open of 4 of 8 holders, 4 or more of which lie', () => {
  it('goes through all 70 sets if it must', async () => {
    const desk = await createDesk({ t: 4, n: 6, k: 8 });
    const xs = desk.manifest.core.holders.map(({ x }) => x);
    const all = xs.map((_, i): Nature => (i % 2 === 0 ? 'liar' : 'honest'));
    expect(promiseOf(desk, await desk.open(conductOf(all, xs)))).toEqual(opened);
    const outcome = await desk.open(conductOf(['liar', 'liar', ...all.slice(2)], xs));
    expect(promiseOf(desk, outcome)).toEqual(failed);
    expect(outcome.requests).toHaveLength(70);
    expect(outcome.tookMs).toBeLessThan(10 * 2 * hopMs); // many at once
    expect(outcome.result).toMatchObject({ code: 'KEY_CORRUPT', metadata: { sets: 70, missing: 0 } });
  });
});
