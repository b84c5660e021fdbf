import { nodeRandom } from '@skerry/crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createOwnGrants, ownGrantLifeMs } from '../src/own-grants.ts';

const keyId = nodeRandom.bytes(32);
const startMs = 1_800_000_000_000;
let nowMs = startMs;
let issued = 0;

/** Issues a grant whose token is its number. */
const issue = async (): Promise<{ nbf: number; exp: number; token: Uint8Array }> => {
  issued += 1;
  return { nbf: nowMs / 1000, exp: (nowMs + ownGrantLifeMs) / 1000, token: new Uint8Array([issued]) };
};

const grants = () => createOwnGrants(issue, { nowMs: () => nowMs });

beforeEach(() => {
  nowMs = startMs;
  issued = 0;
});

describe("an owner's own grant", () => {
  test('is presented again while half of its life is left', async () => {
    const present = grants();
    expect(await Promise.all([present(keyId, 0), present(keyId, 0)])).toEqual([
      new Uint8Array([1]),
      new Uint8Array([1]),
    ]);
    nowMs = startMs + ownGrantLifeMs / 2 - 1;
    expect(await present(keyId, 0)).toEqual(new Uint8Array([1]));
    nowMs += 1;
    expect(await present(keyId, 0)).toEqual(new Uint8Array([2]));
  });

  test('of another key, or from before a revocation of all, is not presented', async () => {
    const present = grants();
    await present(keyId, 0);
    expect(await present(nodeRandom.bytes(32), 0)).toEqual(new Uint8Array([2]));
    expect(await present(keyId, 1)).toEqual(new Uint8Array([3]));
  });

  test('is not presented again once the clock was set back, when holders take it for one of the future', async () => {
    const present = grants();
    await present(keyId, 0);
    nowMs -= 3_600_000;
    expect(await present(keyId, 0)).toEqual(new Uint8Array([2]));
    expect(await present(keyId, 0)).toEqual(new Uint8Array([2]));
  });

  test('that could not be issued is tried again', async () => {
    let fails = true;
    const present = createOwnGrants(async () => (fails ? Promise.reject(new Error('no')) : issue()), {
      nowMs: () => nowMs,
    });
    await expect(present(keyId, 0)).rejects.toThrow('no');
    fails = false;
    expect(await present(keyId, 0)).toEqual(new Uint8Array([1]));
  });
});
