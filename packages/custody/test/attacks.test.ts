import { createHash } from 'node:crypto';
import { at, type ErrorCode, equalBytes, SkerryError, toHex } from '@skerry/base';
import { hpkeRecipient, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { openHeldShare } from '@skerry/custody';
import { interpolate, type Share } from '@skerry/sharing';
import {
  decodeAnswer,
  decodeRequest,
  encodeRefusal,
  encodeRequest,
  type GrantClaims,
  type Manifest,
  nodeIdOf,
  type RoundRequest,
} from '@skerry/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { clockSkewMs } from '../parameters.ts';
import { type Identity, makeIdentity, makeSigner, signGrant } from './identities.ts';
import { contributionOf, contributionsOf, makeRequest, signRequest, subsets, xor } from './rounds.ts';
import {
  claimsFor,
  createWorld,
  dealWell,
  handle,
  type Message,
  nodeOf,
  type OpenOutcome,
  open,
  orderDeal,
  type World,
} from './world.ts';

const counts = { t: 3, n: 4, k: 5 };

/** A world with one dealt key, all that was ever sent in it, and all its shares, which nobody in it sees together. */
type Prize = {
  readonly world: World;
  readonly manifest: Manifest;
  readonly key: Uint8Array;
  readonly by: Identity;
  readonly archive: Message[];
  readonly shares: readonly Share[];
};

async function makePrize(): Promise<Prize> {
  const world = createWorld(counts.k);
  const archive: Message[] = [];
  world.fate = message => {
    archive.push(message);
    return {};
  };
  const order = orderDeal(world, counts);
  const manifest = await dealWell(world, order);
  const by = makeIdentity();
  expect((await open(world, manifest, by)).key).toEqual(order.key);
  world.fate = () => ({});
  const shares = manifest.core.holders.map(({ nodeKey }) => {
    const { active } = nodeOf(world, nodeIdOf(nodeKey)).held(manifest.core.keyId)!;
    return openHeldShare(nodeCrypto, active!, 'SHARE_CORRUPT').share;
  });
  return { world, manifest, key: order.key, by, archive, shares };
}

let prize: Prize;
beforeAll(async () => {
  prize = await makePrize();
});

/** The seeds that a node key can stand for: itself, and the X25519 key that is often made from an Ed25519 one. */
function seedsOf(nodeSeed: Uint8Array): Uint8Array[] {
  return [nodeSeed, new Uint8Array(createHash('sha512').update(nodeSeed).digest().subarray(0, 32))];
}

function codeIn({ result }: OpenOutcome): ErrorCode | undefined {
  return result instanceof SkerryError ? result.code : undefined;
}

/** What holder i would give to S without masks: lambda_i(S, x) * y_i, by setting every other share to zero. */
function bareOf(set: readonly number[], x: number, i: number): Uint8Array {
  const points = set.map(point => {
    const { y } = prize.shares.find(share => share.x === point)!;
    return { x: point, y: point === i ? y : new Uint8Array(y.length) };
  });
  return interpolate(points, x);
}

describe('a thief', () => {
  it('with every node key and all that was ever sent cannot open a deposit, an answer or a share', async () => {
    const { world, archive, shares, key } = prize;
    const seeds = world.nodes.flatMap(({ nodeSeed }) => seedsOf(nodeSeed));
    const sealed: Uint8Array[] = [];
    const ciphertexts: Uint8Array[] = [];
    for (const { name, leg, bytes } of archive) {
      const request = leg === 'request' ? decodeRequest(bytes) : undefined;
      if (request?.name === 'deposit') sealed.push(request.body.sealedDek);
      if (request?.name === 'deposit') ciphertexts.push(request.body.ciphertext);
      if (name === 'round' && leg === 'answer') sealed.push(decodeAnswer('round', bytes).sealed);
    }
    expect(sealed).toHaveLength(counts.k + counts.t);
    for (const seed of seeds) {
      for (const blob of sealed)
        expect(await hpkeRecipient(seed).open(new Uint8Array(), blob)).toBeUndefined();
      for (const blob of ciphertexts)
        expect(nodeCrypto.aeadOpen(seed, blob, new Uint8Array())).toBeUndefined();
    }
    const everything = Buffer.concat(archive.map(({ bytes }) => bytes));
    for (const secret of [key, ...shares.map(({ y }) => y.subarray(0, 16))]) {
      expect(everything.includes(secret)).toBe(false);
    }
  });

  it("finds no share's key anywhere but on its holder's disk, so that erasing it there erases the share", () => {
    const { world, archive, manifest } = prize;
    const everything = Buffer.concat(archive.map(({ bytes }) => bytes));
    for (const node of world.nodes) {
      const { dek } = node.held(manifest.core.keyId)!.active!;
      expect(everything.includes(dek)).toBe(false);
      const holdingDek = world.nodes.filter(({ disk }) =>
        [...disk.values()].some(it => Buffer.from(it).includes(dek)),
      );
      expect(holdingDek).toEqual([node]);
    }
  });

  it('finds no secret in the log or in what holders publish', () => {
    const { world, manifest, shares, key } = prize;
    const deks = world.nodes.map(node => node.held(manifest.core.keyId)!.active!.dek);
    const told = JSON.stringify(world.nodes.map(({ audit, published }) => ({ audit, published })));
    for (const secret of [key, ...deks, ...shares.map(({ y }) => y)]) {
      expect(told).not.toContain(toHex(secret));
      expect(told).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });

  it('of a short key learns nothing from its commitment: no two are alike', async () => {
    const key = new Uint8Array([7]);
    const world = createWorld(5);
    const first = await dealWell(world, orderDeal(world, counts, { key }));
    const second = await dealWell(world, orderDeal(world, counts, { key }));
    expect(first.core.commitment).not.toEqual(second.core.commitment);
    expect(first.core.length).toBe(33);
  });
});

describe('a requester', () => {
  it('sees no share and no sum that gives one, in any proper subset of the contributions', async () => {
    const { world, manifest, by, shares } = prize;
    for (const set of subsets(
      shares.map(({ x }) => x).sort((a, b) => a - b),
      counts.t,
    )) {
      const contributions = await contributionsOf(world, manifest, makeRequest(world, manifest, set, by));
      expect(xor([...contributions.values()])).toEqual(xor(set.map(i => bareOf(set, 0, i))));
      for (const some of [...subsets(set, 1), ...subsets(set, 2)]) {
        const sum = xor(some.map(i => contributions.get(i)!));
        expect(sum).not.toEqual(xor(some.map(i => bareOf(set, 0, i))));
        for (const { y } of shares) expect(sum).not.toEqual(y);
      }
    }
  });

  it('cannot cancel the masks of a holder by asking it twice with another set, point or round', async () => {
    const { world, manifest, by, shares } = prize;
    const [a, b, c, d] = shares.map(({ x }) => x) as [number, number, number, number];
    const roundId = nodeRandom.bytes(16);
    const claims = claimsFor(world, manifest, by);
    const inspect = signGrant(world.owner, { ...claims, op: 'inspect' });
    const first = makeRequest(world, manifest, [a, b, c], by, { roundId });
    const { grant, recipientKey } = first.request;
    const others: [Partial<RoundRequest>, number[]][] = [
      [{ roundId, grant, recipientKey }, [a, b, d]],
      [{ roundId, grant: inspect, recipientKey, op: 'inspect', x: d }, [a, b, c]],
      [{ grant, recipientKey }, [a, b, c]],
      [{ roundId, recipientKey }, [a, b, c]],
      [{ roundId, grant }, [a, b, c]],
    ];
    const before = await contributionOf(world, manifest, first, a);
    for (const [changes, set] of others) {
      const second = makeRequest(world, manifest, set, by, changes);
      const recipientSeed = changes.recipientKey ? first.recipientSeed : second.recipientSeed;
      const after = await contributionOf(world, manifest, { ...second, recipientSeed }, a);
      const both = [before, after].filter(part => typeof part !== 'string');
      expect(both).toHaveLength(2);
      const bare = xor([bareOf([a, b, c], 0, a), bareOf(set, second.request.x, a)]);
      expect(xor(both)).not.toEqual(bare);
    }
  });

  it('cannot mix contributions of rounds that differ in any field', async () => {
    const { world, manifest, by, shares } = prize;
    const set = shares.slice(0, counts.t).map(({ x }) => x);
    const first = makeRequest(world, manifest, set, by);
    const contributions = await contributionsOf(world, manifest, first);
    const { grant, recipientKey, roundId } = first.request;
    for (const changes of [
      { grant, recipientKey },
      { grant, roundId },
      { recipientKey, roundId },
    ]) {
      const second = makeRequest(world, manifest, set, by, changes);
      const recipientSeed = 'recipientKey' in changes ? first.recipientSeed : second.recipientSeed;
      const stray = await contributionOf(world, manifest, { ...second, recipientSeed }, at(set, 0));
      const mixed = new Map(contributions).set(at(set, 0), stray as Uint8Array);
      expect(xor([...mixed.values()])).not.toEqual(xor([...contributions.values()]));
    }
  });

  it.each<[string, Partial<RoundRequest>]>([
    ['of one holder', { set: [1] }],
    ['with the point at which the key is', { set: [0, 1, 2] }],
    ['for an answer that everybody can open', { recipientKey: new Uint8Array(32) }],
  ])('cannot even send a round %s', async (_, changes) => {
    const { world, manifest, by, shares } = prize;
    const asked = makeRequest(
      world,
      manifest,
      shares.slice(0, counts.t).map(({ x }) => x),
      by,
    );
    const bytes = encodeRequest('round', { ...asked.request, ...changes });
    const answer = await handle(world, by.nodeKey, at(world.nodes, 0).nodeId, bytes);
    expect(answer).toEqual(encodeRefusal('MESSAGE_MALFORMED'));
  });
});

describe('a grant', () => {
  const spoilt: [string, ErrorCode, (claims: GrantClaims) => Partial<GrantClaims>][] = [
    ['for another key', 'GRANT_INVALID', () => ({ keyId: toHex(nodeRandom.bytes(32)) })],
    ['of another node', 'GRANT_INVALID', () => ({ sub: makeIdentity().nodeId })],
    ['for another operation', 'GRANT_INVALID', () => ({ op: 'inspect' })],
    ['for another epoch', 'GRANT_INVALID', () => ({ epoch: 2 })],
    ['that has expired', 'GRANT_EXPIRED', ({ nbf }) => ({ nbf: nbf - 600, exp: nbf - clockSkewMs / 1000 })],
    [
      'with the confirmation key of another',
      'REQUEST_SIGNATURE_INVALID',
      () => ({ cnf: toHex(makeIdentity().nodeKey) }),
    ],
  ];
  it.each(spoilt)('%s opens nothing: %s', async (_, code, spoil) => {
    const { world, manifest, by } = prize;
    const claims = claimsFor(world, manifest, by);
    const outcome = await open(world, manifest, by, signGrant(world.owner, { ...claims, ...spoil(claims) }));
    expect(codeIn(outcome)).toBe(code);
  });

  it('signed by a stranger opens nothing', async () => {
    const { world, manifest, by } = prize;
    const outcome = await open(world, manifest, by, signGrant(makeSigner(), claimsFor(world, manifest, by)));
    expect(codeIn(outcome)).toBe('GRANT_INVALID');
  });

  it('of an authority of several keys needs as many of them as the authority does', async () => {
    const { world, by } = await makePrize();
    const owners = makeSigner(3, 2);
    const manifest = await dealWell(
      { ...world, owner: owners },
      orderDeal({ ...world, owner: owners }, counts),
    );
    const claims = claimsFor(world, manifest, by);
    const openBy = async (indices: readonly number[]) =>
      open(world, manifest, by, signGrant(owners.as(indices), claims));
    expect(codeIn(await openBy([1]))).toBe('GRANT_INVALID');
    expect(codeIn(await openBy([1, 1]))).toBe('GRANT_INVALID');
    expect((await openBy([0, 2])).key).toBeDefined();
  });

  it('for one use opens once', async () => {
    const { world, manifest, by, key } = await makePrize();
    const grant = signGrant(world.owner, { ...claimsFor(world, manifest, by), uses: 1 });
    expect((await open(world, manifest, by, grant)).key).toEqual(key);
    expect(codeIn(await open(world, manifest, by, grant))).toBe('GRANT_USED_UP');
  });

  it('that names its holders opens with them and with no other', async () => {
    const { world, manifest, by, key, shares } = await makePrize();
    const among = shares
      .slice(2)
      .map(({ x }) => x)
      .sort((a, b) => a - b);
    const claims = { ...claimsFor(world, manifest, by), among };
    const opened = await open(world, manifest, by, signGrant(world.owner, claims));
    expect(opened.key).toEqual(key);
    expect(opened.requests.at(-1)?.set).toEqual(among);
    const too = signGrant(world.owner, { ...claims, among: among.slice(1) });
    expect(codeIn(await open(world, manifest, by, too))).toBe('GRANT_INVALID');
  });

  it('that was stolen, with the request it came in, serves nobody else', async () => {
    const { world, manifest, by, shares } = prize;
    const [thief, node] = [makeIdentity(), at(world.nodes, 0)];
    const asked = makeRequest(
      world,
      manifest,
      shares.slice(0, counts.t).map(({ x }) => x),
      by,
    );
    const taken = { ...asked.request, recipientId: thief.nodeKey };
    for (const body of [asked.request, taken, signRequest(taken, thief.nodeSeed)]) {
      const answer = await node.handle(thief.nodeKey, { name: 'round', body });
      const codes: ErrorCode[] = ['GRANT_INVALID', 'NOT_IN_SET'];
      expect(codes.map(code => toHex(encodeRefusal(code)))).toContain(toHex(answer));
    }
  });
});

describe('one in the middle', () => {
  /** Puts its own recipient key into the requests to some holders. */
  async function openThrough(bad: readonly string[]): Promise<OpenOutcome & { key: Uint8Array | undefined }> {
    const { world, manifest, by } = prize;
    const mine = nodeRandom.bytes(32);
    world.fate = ({ holder, leg, bytes }) => {
      const request = leg === 'request' && bad.includes(holder) ? decodeRequest(bytes) : undefined;
      if (request?.name !== 'round') return {};
      const body = { ...request.body, recipientKey: nodeCrypto.x25519PublicKey(mine) };
      return { bytes: encodeRequest('round', body) };
    };
    const outcome = await open(world, manifest, by);
    world.fate = () => ({});
    return outcome;
  }

  it('gets no answer sealed to its own key, and keeps nobody from the key who has t holders beside', async () => {
    const names = prize.manifest.core.holders.map(({ nodeKey }) => nodeIdOf(nodeKey));
    expect(codeIn(await openThrough(names))).toBe('REQUEST_SIGNATURE_INVALID');
    for (const some of subsets(names, counts.k - counts.t)) {
      expect((await openThrough(some)).key).toEqual(prize.key);
    }
  });

  it('who swaps, alters, repeats or delays answers of k - t holders changes nothing but the time', async () => {
    const { world, manifest, by, key } = prize;
    const names = manifest.core.holders.map(({ nodeKey }) => nodeIdOf(nodeKey));
    const bad = names.slice(0, counts.k - counts.t);
    const seen: Uint8Array[] = [];
    const deeds: World['fate'][] = [
      ({ bytes }) => ({ bytes: at(seen, Math.max(0, seen.push(bytes) - 2)) }),
      ({ bytes }) => ({ bytes: bytes.map((byte, i) => byte ^ Number(i === bytes.length - 20)) }),
      () => ({ copies: 3 }),
      () => ({ delayMs: 1000 }),
      () => ({ lost: true }),
    ];
    for (const deed of deeds) {
      world.fate = message => (message.leg === 'answer' && bad.includes(message.holder) ? deed(message) : {});
      const outcome = await open(world, manifest, by);
      world.fate = () => ({});
      expect(equalBytes(outcome.key ?? new Uint8Array(), key)).toBe(true);
    }
  });
});
