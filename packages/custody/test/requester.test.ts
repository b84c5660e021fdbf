import { type ErrorCode, SkerryError } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { startRound, stepRequester } from '@skerry/custody';
import { beforeAll, describe, expect, it } from 'vitest';
import { asksMax, hedgeMinMs, hedgePerSetMs, openDeadlineMs } from '../parameters.ts';
import { type Conduct, createDesk, type Desk } from './desk.ts';
import { subsets } from './rounds.ts';
import { holdersOf, hopMs, type OpenOutcome } from './world.ts';

const counts = { t: 3, n: 4, k: 5 };
let desk: Desk;
beforeAll(async () => {
  desk = await createDesk(counts);
});

type Asked = Parameters<Conduct>[0];
type Reply = ReturnType<Conduct>;
const honest = ({ honest }: Asked): Reply => ({ answer: honest() });

/** Some holders, by their numbers in the manifest, behave otherwise than the honest rest. */
function where(bad: readonly number[], conduct: Conduct): Conduct {
  return asked => (bad.includes(asked.holder) ? conduct(asked) : honest(asked));
}

function keyIn({ result }: OpenOutcome): Uint8Array | undefined {
  return result instanceof SkerryError ? undefined : result.payload.subarray(0, desk.key.length);
}

function errorIn({ result }: OpenOutcome): SkerryError {
  if (!(result instanceof SkerryError)) throw new Error('the open failed');
  return result;
}

/** An answer whose signature, at its end, is spoilt. */
function spoilt(answer: Uint8Array): Uint8Array {
  return answer.map((byte, i) => byte ^ Number(i === answer.length - 1));
}

/** A wrong contribution that the holder's node did not sign. */
function unsigned({ request, signed }: Parameters<Conduct>[0]): Uint8Array {
  return spoilt(signed(nodeRandom.bytes(request.length)));
}

const conducts: readonly (readonly [string, Conduct])[] = [
  ['are silent', () => undefined],
  ['are slow', asked => ({ ...honest(asked)!, afterMs: 4000 })],
  ['cannot be reached', () => ({ answer: 'PEER_UNREACHABLE' })],
  ['are too busy', () => ({ answer: 'TOO_BUSY', afterMs: 1 })],
  ['know no such key', () => ({ answer: 'KEY_UNKNOWN' })],
  ['have a corrupt share', () => ({ answer: 'SHARE_CORRUPT' })],
  ['send noise', () => ({ answer: nodeRandom.bytes(120) })],
  ['send nothing at all', () => ({ answer: new Uint8Array(0) })],
  ['lie', ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length)) })],
  ['lie and do not sign it', asked => ({ answer: unsigned(asked) })],
  ['do not sign what is right', ({ honest }) => ({ answer: spoilt(honest()) })],
  [
    'send contributions of another length',
    ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length + 1)) }),
  ],
  [
    "repeat their first round's answer",
    ({ before, honest }) => {
      first ??= honest();
      return { answer: before === 0 ? honest() : first };
    },
  ],
  ['answer twice', asked => ({ ...honest(asked)!, copies: 2 })],
];
let first: Uint8Array | undefined;

describe('an open', () => {
  it('takes one set and one round trip where all is well', async () => {
    const outcome = await desk.open(honest);
    expect(keyIn(outcome)).toEqual(desk.key);
    expect(outcome).toMatchObject({ asks: counts.t, tookMs: 2 * hopMs });
  });

  it('asks first those that come first', async () => {
    const order = holdersOf(desk.manifest).toReversed();
    const asked: number[] = [];
    await desk.open(
      trial => {
        asked.push(trial.x);
        return honest(trial);
      },
      { holders: order },
    );
    expect(new Set(asked)).toEqual(new Set(order.slice(0, counts.t).map(({ x }) => x)));
  });

  it.each(conducts)('gives the key whichever k - t holders %s, within its time', async (_, conduct) => {
    for (const size of [1, counts.k - counts.t]) {
      for (const bad of subsets([0, 1, 2, 3, 4], size)) {
        const outcome = await desk.open(where(bad, conduct));
        expect(keyIn(outcome)).toEqual(desk.key);
        expect(outcome.tookMs).toBeLessThan(openDeadlineMs / 2);
        expect(outcome.asks).toBeLessThanOrEqual(10 * counts.t);
      }
    }
  });

  it.each<[string, ErrorCode, Conduct]>([
    ['are silent', 'KEY_UNAVAILABLE', () => undefined],
    ['cannot be reached', 'KEY_UNAVAILABLE', () => ({ answer: 'PEER_UNREACHABLE' })],
    ['are too busy', 'KEY_UNAVAILABLE', () => ({ answer: 'TOO_BUSY' })],
    ['know no such key', 'KEY_UNAVAILABLE', () => ({ answer: 'KEY_UNKNOWN' })],
    ['sign wrongly', 'KEY_UNAVAILABLE', () => ({ answer: 'SIGNATURE_INVALID' })],
    ['lie', 'KEY_CORRUPT', ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length)) })],
    ['refuse the grant', 'GRANT_EXPIRED', () => ({ answer: 'GRANT_EXPIRED' })],
    ['wait for the delay', 'DELAY_PENDING', () => ({ answer: 'DELAY_PENDING' })],
  ])('fails with its reason where all but t - 1 holders %s: %s', async (_, code, conduct) => {
    for (const bad of [
      [0, 1, 2],
      [0, 2, 4],
      [1, 3, 4],
    ]) {
      const outcome = await desk.open(where(bad, conduct));
      expect(errorIn(outcome).code).toBe(code);
      expect(outcome.tookMs).toBeLessThanOrEqual(openDeadlineMs);
      expect(outcome.asks).toBeLessThanOrEqual(counts.t * (4 + openDeadlineMs / hedgeMinMs));
    }
  });

  it('names who did not answer and why', async () => {
    const conduct = where([1, 3, 4], ({ holder }) =>
      holder === 3 ? { answer: 'PEER_UNREACHABLE' } : undefined,
    );
    const { message, metadata } = errorIn(await desk.open(conduct));
    const who = 'holder 1: DEADLINE_EXCEEDED; holder 3: PEER_UNREACHABLE; holder 4: DEADLINE_EXCEEDED';
    expect(message).toBe(`3 of 5 holders did not answer and 3 are needed: ${who}`);
    expect(metadata).toEqual({ threshold: 3, holders: 5, missing: 3, who });
  });

  it.each<[ErrorCode, Conduct]>([
    ['SIGNATURE_INVALID', asked => ({ answer: unsigned(asked) })],
    [
      'SHARE_LENGTH_INVALID',
      ({ request, signed }) => ({ answer: signed(nodeRandom.bytes(request.length + 1)) }),
    ],
    ['MESSAGE_MALFORMED', () => ({ answer: nodeRandom.bytes(100) })],
  ])('names who answered what cannot be an answer: %s', async (code, conduct) => {
    const error = errorIn(await desk.open(where([0, 1, 2], conduct)));
    const who = [0, 1, 2].map(holder => `holder ${holder}: ${code}`).join('; ');
    expect(error).toMatchObject({ code: 'KEY_UNAVAILABLE', metadata: { who } });
  });

  it('does not name who was late once and answered since', async () => {
    const conduct: Conduct = asked => {
      const { holder, before, request, signed } = asked;
      if (holder === 3) return undefined;
      if (holder === 1 || holder === 2) return { answer: signed(nodeRandom.bytes(request.length)) };
      return { ...honest(asked)!, afterMs: holder === 0 && before === 0 ? 300 : 2 * hopMs };
    };
    const { metadata } = errorIn(await desk.open(conduct));
    expect(metadata).toMatchObject({ missing: 1, who: 'holder 3: DEADLINE_EXCEEDED' });
  });

  it('does not blame who answered for the sets that others spoiled', async () => {
    const lie = where([0, 1, 2], ({ request, signed }) => ({
      answer: signed(nodeRandom.bytes(request.length)),
    }));
    expect(errorIn(await desk.open(lie)).metadata).toMatchObject({ missing: 0, who: '', sets: 10 });
  });

  it('takes an answer that comes just before its time is over, and none that comes when it is', async () => {
    const all = [0, 1, 2, 3, 4];
    const slow = (afterMs: number): Conduct => where(all, asked => ({ ...honest(asked)!, afterMs }));
    const intime = await desk.open(slow(openDeadlineMs - 1));
    expect(keyIn(intime)).toEqual(desk.key);
    const late = await desk.open(slow(openDeadlineMs + 1));
    expect(errorIn(late).code).toBe('KEY_UNAVAILABLE');
    expect(late.tookMs).toBe(openDeadlineMs);
  });

  it('waits for a slow holder for a few of its round trips, and then asks others too', async () => {
    const holders = holdersOf(desk.manifest).map(holder => ({ ...holder, roundTripMs: 100 }));
    const slow = (afterMs: number): Conduct => where([0], asked => ({ ...honest(asked)!, afterMs }));
    expect((await desk.open(slow(299), { holders })).asks).toBe(counts.t);
    const hedged = await desk.open(slow(1000), { holders });
    expect(hedged).toMatchObject({ asks: 2 * counts.t, tookMs: 300 + 2 * hopMs });
    expect((await desk.open(slow(1000))).tookMs).toBe(hedgeMinMs + 2 * hopMs);
  });
});

describe('liars', () => {
  const d = nodeRandom.bytes(64);
  const shifted: Conduct = ({ contribution, signed }) => {
    return { answer: signed(contribution().map((byte, i) => byte ^ d[i]!)) };
  };

  it('whose errors cancel spoil nothing together, and alone give no wrong key', async () => {
    for (const bad of subsets([0, 1, 2, 3, 4], 2)) {
      const outcome = await desk.open(where(bad, shifted));
      expect(keyIn(outcome)).toEqual(desk.key);
    }
  });

  it('do not get an honest holder blamed for the sets that they spoiled', async () => {
    const [a, b, c, silent] = [0, 1, 2, 3];
    const holders = holdersOf(desk.manifest);
    const opened = await desk.open(where([a, b], shifted), {
      holders: [a, c, 4, b, silent].map(number => holders[number]!),
    });
    expect(opened.requests[0]?.set).toContain(holders[c]!.x); // this set was wrong
    expect(keyIn(opened)).toEqual(desk.key);
    const failed = await desk.open(asked => {
      if (asked.holder === b || asked.holder === silent) return undefined;
      return asked.holder === a ? shifted(asked) : honest(asked);
    });
    const who = 'holder 1: DEADLINE_EXCEEDED; holder 3: DEADLINE_EXCEEDED';
    expect(errorIn(failed)).toMatchObject({ code: 'KEY_CORRUPT', metadata: { who, sets: 1 } });
  });
});

describe("the requester's machine", () => {
  function begin() {
    const holders = holdersOf(desk.manifest);
    const env = { crypto: nodeCrypto, random: nodeRandom, nowMs: 1_790_000_000_000 };
    const order = {
      manifest: desk.manifest,
      holders,
      aim: { op: 'open', grant: nodeRandom.bytes(10), confirmationSeed: desk.by.nodeSeed } as const,
      recipientKey: nodeRandom.bytes(32),
      nodeKey: desk.by.nodeKey,
    };
    return { env, order };
  }

  it('gives up at once where there are fewer holders than the threshold', () => {
    const { env, order } = begin();
    const { effects, state } = startRound(env, { ...order, holders: order.holders.slice(0, 2) });
    expect(effects).toMatchObject([{ type: 'fail', error: { code: 'KEY_UNAVAILABLE' } }]);
    expect(state.ended).toBe(true);
  });

  it('asks nobody who is not a holder of the manifest', () => {
    const { env, order } = begin();
    const [holder, ...others] = order.holders;
    const strangers = [{ ...holder!, nodeId: others[0]!.nodeId }, ...others];
    expect(() => startRound(env, { ...order, holders: strangers })).toThrow('those of the manifest');
    expect(() => startRound(env, { ...order, holders: [...others, others[0]!] })).toThrow(
      'those of the manifest',
    );
  });

  it('wipes what comes after its end, and does nothing more', () => {
    const { env, order } = begin();
    const { state } = startRound(env, order);
    const ended = stepRequester(env, state, { type: 'deadline' });
    expect(ended.effects).toMatchObject([{ type: 'fail', error: { code: 'KEY_UNAVAILABLE' } }]);
    const answer = nodeRandom.bytes(100);
    const x = state.attempts[0]!.request.set[0]!;
    expect(stepRequester(env, ended.state, { type: 'answered', attempt: 0, x, answer }).effects).toEqual([]);
    expect(answer).toEqual(new Uint8Array(100));
    expect(stepRequester(env, ended.state, { type: 'deadline' }).effects).toEqual([]);
    expect(stepRequester(env, ended.state, { type: 'hedge', attempt: 0 }).effects).toEqual([]);
  });

  it('asks no further set once it asked as often as it may', () => {
    const { env, order } = begin();
    const { state } = startRound(env, order);
    const [attempt] = state.attempts;
    const setsMax = Math.floor(asksMax / counts.t);
    const after = (sets: number) => {
      const attempts = Array.from({ length: sets - 1 }, () => ({ ...attempt!, status: 'wrong' as const }));
      return stepRequester(
        env,
        { ...state, attempts: [attempt!, ...attempts] },
        { type: 'hedge', attempt: 0 },
      );
    };
    expect(after(setsMax - 1).effects.filter(({ type }) => type === 'ask')).toHaveLength(counts.t);
    expect(after(setsMax).effects).toEqual([]);
  });

  it('gives each set more time the more are in flight beside it', () => {
    const { env, order } = begin();
    const { state } = startRound(env, order);
    const { effects } = stepRequester(env, { ...state, wrongSets: 1 }, { type: 'hedge', attempt: 0 });
    const times = effects.flatMap(effect => (effect.type === 'wake' ? [effect.afterMs] : []));
    expect(times).toEqual([hedgeMinMs]); // with slow holders: one at a time
    const wide = stepRequester(
      env,
      { ...state, wrongSets: 1 },
      { type: 'answered', attempt: 0, x: state.attempts[0]!.request.set[0]!, answer: 'KEY_UNKNOWN' },
    );
    const beside = wide.effects.flatMap(effect => (effect.type === 'wake' ? [effect.afterMs] : []));
    expect(beside).toEqual([0, 1, 2, 3].map(inFlight => hedgeMinMs + inFlight * hedgePerSetMs));
  });

  it('does not press busy holders: it asks them again only when the time of a set is over', async () => {
    const { asks, tookMs } = await desk.open(() => ({ answer: 'TOO_BUSY', afterMs: 1 }));
    expect(tookMs).toBe(openDeadlineMs);
    expect(asks).toBeLessThanOrEqual(counts.t * (4 + openDeadlineMs / hedgeMinMs));
    const patient = await desk.open(asked =>
      asked.before < 2 ? { answer: 'RATE_LIMITED', afterMs: 1 } : honest(asked),
    );
    expect(keyIn(patient)).toEqual(desk.key);
    const last = await desk.open(asked => {
      if (asked.holder > 2) return { answer: 'PEER_UNREACHABLE' };
      return asked.holder === 0 && asked.before === 0 ? { answer: 'TOO_BUSY' } : honest(asked);
    });
    expect(keyIn(last)).toEqual(desk.key);
  });

  it('signs each request for its own set, all under one round', async () => {
    const { requests } = await desk.open(where([0, 1], () => ({ answer: 'PEER_UNREACHABLE' })));
    expect(requests.length).toBeGreaterThan(1);
    expect(new Set(requests.map(({ set }) => set.join())).size).toBe(requests.length);
    expect(new Set(requests.map(({ roundId }) => roundId.join())).size).toBe(1);
    expect(requests.length * counts.t).toBeLessThanOrEqual(asksMax);
  });
});
