import { type Crypto, equalBytes, preimage, profiles, riskLevels, SkerryError } from '@skerry/base';
import {
  authorityKeysMax,
  keyMaterialBytesMax,
  payloadBytesMax,
  payloadBytesMin,
  sharesMax,
} from '../parameters.ts';
import { bytes, flag, integer, list, nullable, type TypeOf, timeMs, tuple, word } from './shapes.ts';

/** The set of owner keys that may sign for a key: any `needed` of them. Fixed for ever by the keyId. */
export const authorityShape = tuple({
  keys: list(bytes(32), 1, authorityKeysMax),
  needed: integer(1, authorityKeysMax),
});
/** See `authorityShape`. */
export type Authority = TypeOf<typeof authorityShape>;

/** One authority signature: which key of the authority, and its Ed25519 signature. */
export const authoritySignatureShape = tuple({
  index: integer(0, authorityKeysMax - 1),
  signature: bytes(64),
});
/** See `authoritySignatureShape`. */
export type AuthoritySignature = TypeOf<typeof authoritySignatureShape>;

/** Signatures by distinct keys of an authority, ascending by index. */
export const authoritySignaturesShape = list(authoritySignatureShape, 1, authorityKeysMax);

/** One point of a sharing: its x and the public halves of the keys that its share yields. */
export const pointShape = tuple({ x: integer(1, sharesMax), vk: bytes(32), mk: bytes(32) });
/** See `pointShape`. */
export type Point = TypeOf<typeof pointShape>;

/** Who holds a point: node key, and the HPKE key it made for this key and epoch. */
export const holderShape = tuple({ x: integer(1, sharesMax), nodeKey: bytes(32), ek: bytes(32) });
/** See `holderShape`. */
export type HolderEntry = TypeOf<typeof holderShape>;

/** What the owner asks of every use of the key. */
export const policyShape = tuple({
  risk: word(riskLevels),
  /** Time between a request's announcement at a holder and its answer, 0 to 30 days. */
  delayMs: integer(0, 2_592_000_000),
  /** The network could not reach the level; the owner accepted less. */
  reduced: flag,
  /** t, n and k were given by hand. */
  manual: flag,
  /** Places and operators are simulated (a swarm in one process). */
  simulated: flag,
});

/**
 * The core: everything about one epoch of a key that its authority signs. Public; holds no secret and no
 * entropy. `holders` are in order of preference: the n primaries first, then the spares.
 */
export const coreShape = tuple({
  version: integer(1, 1),
  scheme: word(['gf256']),
  keyId: bytes(32),
  authority: authorityShape,
  nonce: bytes(16),
  dealer: bytes(32),
  epoch: integer(1, 0xffff_ffff),
  previousHash: nullable(bytes(32)),
  originEpoch: integer(1, 0xffff_ffff),
  t: integer(2, sharesMax),
  n: integer(2, sharesMax),
  k: integer(3, sharesMax),
  length: integer(payloadBytesMin, payloadBytesMax),
  commitment: bytes(32),
  points: list(pointShape, 3, sharesMax),
  holders: list(holderShape, 3, sharesMax),
  standby: list(bytes(32), 0, 32),
  repairBudget: integer(0, 8),
  profile: word(profiles),
  createdAtMs: timeMs,
  policy: policyShape,
  box: nullable(bytes(17, keyMaterialBytesMax + 16)),
});
/** See `coreShape`. */
export type Core = TypeOf<typeof coreShape>;

/**
 * The id of a key: the hash of who may sign for it and a nonce, so that nobody else can claim it.
 *
 * @param crypto primitives
 * @param authority of the key
 * @param nonce 16 random bytes
 * @returns 32 bytes
 */
export function keyIdOf(crypto: Crypto, authority: Authority, nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('key-id', authorityShape.pack(authority), nonce));
}

/**
 * The hash that names a core and that its authority signs.
 *
 * @returns 32 bytes
 */
export function coreHashOf(crypto: Crypto, core: Core): Uint8Array<ArrayBuffer> {
  return crypto.sha256(preimage('core', coreShape.pack(core)));
}

/**
 * The hash of an epoch's points that the authority signs once, so that each share record can be checked alone.
 *
 * @param points x and vk of each, ascending by x
 * @returns 32 bytes
 */
export function pointsHashOf(
  crypto: Crypto,
  keyId: Uint8Array,
  epoch: number,
  points: readonly { x: number; vk: Uint8Array }[],
): Uint8Array<ArrayBuffer> {
  return crypto.sha256(
    preimage(
      'points',
      keyId,
      epoch,
      points.map(({ x, vk }) => [x, vk]),
    ),
  );
}

/**
 * Holds that enough distinct authority keys signed a message.
 *
 * @param signatures ascending by index, at least `authority.needed`
 * @throws SIGNATURE_INVALID otherwise
 */
export function checkAuthority(
  crypto: Crypto,
  authority: Authority,
  message: Uint8Array,
  signatures: readonly AuthoritySignature[],
): void {
  const valid = signatures.every(({ index, signature }, i) => {
    const key = authority.keys[index];
    const ascending = i === 0 || index > signatures[i - 1]!.index;
    return key !== undefined && ascending && crypto.ed25519Verify(key, message, signature);
  });
  if (!valid || signatures.length < authority.needed) {
    throw new SkerryError('SIGNATURE_INVALID', "the authority's signatures do not verify");
  }
}

function distinct(list: readonly Uint8Array[]): boolean {
  return new Set(list.map(item => item.join())).size === list.length;
}

/** Holds every rule that a core must keep by itself (docs/PROTOCOL.md, deposit), or throws CORE_INVALID. */
function checkCoreRules(core: Core, keyId: Uint8Array): void {
  const rules: readonly [boolean, string][] = [
    [equalBytes(core.keyId, keyId), 'the key id is not the hash of its authority and nonce'],
    [core.authority.needed <= core.authority.keys.length, 'the authority needs more keys than it has'],
    [distinct(core.authority.keys), 'an authority key stands twice'],
    [core.t <= core.n && core.n < core.k, 'counts break t <= n < k'],
    [core.points.length === core.k && core.holders.length === core.k, 'points and holders are not k'],
    [core.points.every((point, i) => i === 0 || point.x > core.points[i - 1]!.x), 'points do not ascend'],
    [distinct(core.holders.map(holder => holder.nodeKey)), 'a node holds two points'],
    [distinct(core.points.map(point => point.mk)), 'a mask key stands twice'],
    [distinct(core.points.map(point => point.vk)), 'a verification key stands twice'],
    [new Set(core.holders.map(holder => holder.x)).size === core.k, 'a point has two holders'],
    [core.holders.every(({ x }) => core.points.some(point => point.x === x)), 'a holder has no point'],
    [core.holders.every(({ nodeKey }) => !equalBytes(nodeKey, core.dealer)), 'the dealer is its own holder'],
    [core.originEpoch <= core.epoch, 'the origin epoch is later than the epoch'],
    [(core.previousHash === null) === (core.epoch === 1), 'only the first epoch has no predecessor'],
    [core.box === null || core.length === payloadBytesMin + 31, 'a box goes with a 32-byte box key'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken) throw new SkerryError('CORE_INVALID', broken[1]);
}

/**
 * Holds that a core is signed by its authority and keeps every rule, mask keys of low order included.
 *
 * @param signatures over the core hash
 * @returns the core's hash, 32 bytes
 * @throws CORE_INVALID naming the rule; SIGNATURE_INVALID
 */
export function checkCore(
  crypto: Crypto,
  core: Core,
  signatures: readonly AuthoritySignature[],
): Uint8Array<ArrayBuffer> {
  checkCoreRules(core, keyIdOf(crypto, core.authority, core.nonce));
  const probe = new Uint8Array(32).fill(1);
  if (core.points.some(point => crypto.x25519(probe, point.mk) === undefined)) {
    throw new SkerryError('CORE_INVALID', 'a mask key has low order');
  }
  const hash = coreHashOf(crypto, core);
  checkAuthority(crypto, core.authority, hash, signatures);
  return hash;
}
