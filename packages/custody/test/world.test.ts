import { nodeRandom } from '@skerry/crypto';
import { describe, expect, it } from 'vitest';
import { makeIdentity } from './identities.ts';
import { createWorld, dealWell, open, orderDeal } from './world.ts';

describe('a world where nothing goes wrong', () => {
  it.each([
    ['a short key', 1],
    ['a key of 32 bytes', 32],
    ['a key that is boxed', 65],
    ['the longest key', 65_536],
  ])('deals and opens %s with one set of t holders', async (_, keyBytes) => {
    const world = createWorld(6);
    const key = nodeRandom.bytes(keyBytes);
    const manifest = await dealWell(world, orderDeal(world, { t: 3, n: 4, k: 5 }, { key }));
    const opened = await open(world, manifest, makeIdentity());
    expect(opened.key).toEqual(key);
    expect(opened.asks).toBe(3);
  });
});
