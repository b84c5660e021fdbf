import { type Crypto, equalBytes, preimage, profiles, riskLevels, SkerryError } from '@skerry/base';
import {
  boxedKeyBytesMin,
  boxedPayloadBytes,
  delayMsMax,
  keyMaterialBytesMax,
  payloadBytesMax,
  payloadBytesMin,
  repairBudgetMax,
  sharesMax,
  standbyMax,
} from '../parameters.ts';
import { type AuthoritySignature, authorityShape, checkAuthority, keyIdOf } from './authority.ts';
import { hasLowOrder } from './exchange-key.ts';
import { areDistinct, ascends } from './order.ts';
import { bytes, flag, integer, list, nullable, type TypeOf, timeMs, tuple, word } from './shapes.ts';
import { createVerdicts } from './verdicts.ts';

/** The number of a sharing, from 1. */
export const epochShape = integer(1, 0xffff_ffff);

/** The x of a share. */
export const xShape = integer(1, sharesMax);

const tagBytes = 16;

/** One point of a sharing: its x and the public halves of the keys that its share yields. */
const pointShape = tuple({ x: xShape, vk: bytes(32), mk: bytes(32) });

/** Who holds a point: node key, and the HPKE key it made for this key and epoch. */
const holderShape = tuple({ x: xShape, nodeKey: bytes(32), ek: bytes(32) });

/** What the owner asks of every use of the key. */
const policyShape = tuple({
  risk: word(riskLevels),
  /** Time between a request's announcement at a holder and its answer. */
  delayMs: integer(0, delayMsMax),
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
  epoch: epochShape,
  previousHash: nullable(bytes(32)),
  originEpoch: epochShape,
  t: integer(2, sharesMax),
  n: integer(2, sharesMax),
  k: integer(3, sharesMax),
  length: integer(payloadBytesMin, payloadBytesMax),
  commitment: bytes(32),
  points: list(pointShape, 3, sharesMax),
  holders: list(holderShape, 3, sharesMax),
  standby: list(bytes(32), 0, standbyMax),
  repairBudget: integer(0, repairBudgetMax),
  profile: word(profiles),
  createdAtMs: timeMs,
  policy: policyShape,
  box: nullable(bytes(boxedKeyBytesMin + tagBytes, keyMaterialBytesMax + tagBytes)),
});
/** A decoded core; `checkCore` says whether it keeps the rules and is signed. */
export type Core = TypeOf<typeof coreShape>;

/** Hashes of cores as they were worked out: a core does not change. */
const coreHashes = new WeakMap<Crypto, WeakMap<Core, Uint8Array<ArrayBuffer>>>();

/**
 * The hash that names a core and that its authority signs.
 *
 * @param core any core; it need not keep the rules
 * @returns 32 bytes
 */
export function coreHashOf(crypto: Crypto, core: Core): Uint8Array<ArrayBuffer> {
  const known = coreHashes.get(crypto) ?? new WeakMap<Core, Uint8Array<ArrayBuffer>>();
  coreHashes.set(crypto, known);
  const coreHash = known.get(core) ?? crypto.sha256(preimage('core', coreShape.pack(core)));
  known.set(core, coreHash);
  return coreHash;
}

/**
 * The hash of an epoch's points that the authority signs once, so that each share record can be checked alone.
 *
 * @param keyId 32 bytes
 * @param epoch from 1
 * @param points x and vk of each, ascending by x
 * @returns 32 bytes
 */
export function pointsHashOf(
  crypto: Crypto,
  keyId: Uint8Array,
  epoch: number,
  points: readonly { x: number; vk: Uint8Array }[],
): Uint8Array<ArrayBuffer> {
  const packed = points.map(({ x, vk }) => [x, vk]);
  return crypto.sha256(preimage('points', keyId, epoch, packed));
}

type Rule = readonly [holds: boolean, broken: string];

function rulesOnIdentity(core: Core, keyId: Uint8Array): Rule[] {
  const { authority, epoch } = core;
  return [
    [equalBytes(core.keyId, keyId), 'the key id is not the hash of its authority and nonce'],
    [authority.needed <= authority.keys.length, 'the authority needs more keys than it has'],
    [areDistinct(authority.keys), 'an authority key stands twice'],
    [core.originEpoch <= epoch, 'the origin epoch is later than the epoch'],
    [(core.previousHash === null) === (epoch === 1), 'only the first epoch has no predecessor'],
    [core.box === null || core.length === boxedPayloadBytes, 'a box goes with a 32-byte box key'],
  ];
}

function rulesOnCounts({ t, n, k, points, holders, repairBudget }: Core): Rule[] {
  return [
    [t <= n && n < k, 'counts break t <= n < k'],
    [points.length === k && holders.length === k, 'points and holders are not k'],
    [repairBudget < t, 'the repair budget lets t points move without the owner'],
    [t + repairBudget <= k, 'the repair budget asks for more receipts than there are points'],
  ];
}

function rulesOnPlaces({ points, holders, standby, dealer }: Core): Rule[] {
  const xs = new Set(points.map(({ x }) => x));
  const nodeKeys = holders.map(({ nodeKey }) => nodeKey);
  return [
    [ascends(points.map(({ x }) => x)), 'points do not ascend'],
    [areDistinct(points.map(({ vk }) => vk)), 'a verification key stands twice'],
    [areDistinct(points.map(({ mk }) => mk)), 'a mask key stands twice'],
    [!points.some(({ mk }) => hasLowOrder(mk)), 'a mask key has low order'],
    [!holders.some(({ ek }) => hasLowOrder(ek)), "a holder's key has low order"],
    [new Set(holders.map(({ x }) => x)).size === holders.length, 'a point has two holders'],
    [holders.every(({ x }) => xs.has(x)), 'a holder has no point'],
    [areDistinct(nodeKeys), 'a node holds two points'],
    [areDistinct(standby), 'a standby stands twice'],
    [areDistinct([...nodeKeys, ...standby]), 'a standby holds a point'],
    [
      ![...nodeKeys, ...standby].some(key => equalBytes(key, dealer)),
      'the dealer is its own holder or standby',
    ],
  ];
}

const signedCores = createVerdicts();

/**
 * Holds that a core keeps every rule (docs/PROTOCOL.md, deposit) and is signed by its authority. The rules compare
 * bytes only; what costs more, the signatures, comes last and is at most `authorityKeysMax` verifications.
 *
 * @param core decoded from a peer's bytes
 * @param signatures over the core's hash
 * @returns the core's hash, 32 bytes
 * @throws CORE_INVALID naming the rule; SIGNATURE_INVALID
 */
export function checkCore(
  crypto: Crypto,
  core: Core,
  signatures: readonly AuthoritySignature[],
): Uint8Array<ArrayBuffer> {
  const hash = coreHashOf(crypto, core);
  signedCores.once(crypto, core, signatures, () => {
    const identity = rulesOnIdentity(core, keyIdOf(crypto, core.authority, core.nonce));
    const rules = [...identity, ...rulesOnCounts(core), ...rulesOnPlaces(core)];
    const broken = rules.find(([holds]) => !holds);
    if (broken) throw new SkerryError('CORE_INVALID', broken[1]);
    checkAuthority(crypto, core.authority, hash, signatures);
  });
  return hash;
}
