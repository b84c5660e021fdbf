/** Keys dealt from fixed seeds: every owner, node and share signs what is asked of it, true or not. */
import { preimage } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  type Activation,
  type Amendment,
  type AuthoritySignature,
  acceptancePreimage,
  activationPreimage,
  type Core,
  coreHashOf,
  keyIdOf,
  type Manifest,
  type Proposal,
  pointsHashOf,
  proposalHashOf,
  type Receipt,
  type Revocation,
  receiptPreimage,
  revocationHashOf,
  type ShareRecord,
  shareRecordPreimage,
  type Tombstone,
  tombstoneHashOf,
  type Vote,
  votePreimage,
} from '@skerry/wire';

/** `length` bytes that follow from a label. */
export function fixedBytes(label: string, length: number): Uint8Array<ArrayBuffer> {
  return crypto.hkdf(new Uint8Array(32).fill(9), new Uint8Array(0), preimage('test', label), length);
}

/** An Ed25519 key with its seed. */
type Signer = { readonly key: Uint8Array; readonly seed: Uint8Array };

/** The signer that follows from a label. */
export function signerOf(label: string): Signer {
  const seed = fixedBytes(label, 32);
  return { seed, key: crypto.ed25519PublicKey(seed) };
}

/** A dealt key with everybody who has a part in it. */
export type DealtKey = {
  readonly core: Core;
  readonly owners: readonly Signer[];
  readonly dealer: Signer;
  /** By x: the node that holds the share, and the signing key that the share yields. */
  readonly nodes: ReadonlyMap<number, Signer>;
  readonly shares: ReadonlyMap<number, Signer>;
};

type Setup = {
  readonly label: string;
  readonly t: number;
  readonly n: number;
  /** Points, ascending; k of them. */
  readonly xs: readonly number[];
  readonly owners: number;
  readonly needed: number;
  readonly standby: number;
};

const plain: Setup = { label: 'plain', t: 2, n: 3, xs: [3, 7, 90, 200], owners: 3, needed: 2, standby: 2 };

/** Deals a key: 2 of 3 and a spare, under 2 of 3 owners, unless told otherwise. */
export function dealKey(changes: Partial<Setup> = {}): DealtKey {
  const { label, t, n, xs, owners: ownerCount, needed, standby } = { ...plain, ...changes };
  const owners = Array.from({ length: ownerCount }, (_, i) => signerOf(`${label} owner ${i}`));
  const dealer = signerOf(`${label} dealer`);
  const nodes = new Map(xs.map(x => [x, signerOf(`${label} node ${x}`)]));
  const shares = new Map(xs.map(x => [x, signerOf(`${label} share ${x}`)]));
  const authority = { keys: owners.map(({ key }) => key), needed };
  const nonce = fixedBytes(`${label} nonce`, 16);
  const core: Core = {
    version: 1,
    scheme: 'gf256',
    keyId: keyIdOf(crypto, authority, nonce),
    authority,
    nonce,
    dealer: dealer.key,
    epoch: 1,
    previousHash: null,
    originEpoch: 1,
    t,
    n,
    k: xs.length,
    length: 64,
    commitment: fixedBytes(`${label} commitment`, 32),
    points: xs.map(x => ({
      x,
      vk: shares.get(x)!.key,
      mk: crypto.x25519PublicKey(fixedBytes(`${label} mask ${x}`, 32)),
    })),
    holders: xs.toReversed().map(x => ({
      x,
      nodeKey: nodes.get(x)!.key,
      ek: crypto.x25519PublicKey(fixedBytes(`${label} ek ${x}`, 32)),
    })),
    standby: Array.from({ length: standby }, (_, i) => signerOf(`${label} standby ${i}`).key),
    repairBudget: 0,
    profile: 'open',
    createdAtMs: 1_790_000_000_000,
    policy: { risk: 'medium', delayMs: 0, reduced: false, manual: true, simulated: false },
    box: null,
  };
  return { core, owners, dealer, nodes, shares };
}

/** The same parts with another core. */
export function withCore(key: DealtKey, changes: Partial<Core>): DealtKey {
  return { ...key, core: { ...key.core, ...changes } };
}

/** The same key under other owners: its key id is theirs, whatever else they do wrong. */
export function withAuthority(key: DealtKey, keys: readonly Uint8Array[], needed: number): DealtKey {
  const authority = { keys: [...keys], needed };
  return withCore(key, { authority, keyId: keyIdOf(crypto, authority, key.core.nonce) });
}

/** Signatures by the owners of the indices given; by the first ones, as many as are needed, when left out. */
export function signByOwners(
  key: DealtKey,
  message: Uint8Array,
  indices: readonly number[] = [...key.owners.keys()].slice(0, key.core.authority.needed),
): AuthoritySignature[] {
  return indices.map(index => ({
    index,
    signature: crypto.ed25519Sign(key.owners[index]!.seed, message),
  }));
}

/** The owners' signatures over the core. */
export function coreSignatures(key: DealtKey): AuthoritySignature[] {
  return signByOwners(key, coreHashOf(crypto, key.core));
}

/** The receipt for x, by its node and its share. */
export function receiptFor(key: DealtKey, x: number): Receipt {
  const node = key.nodes.get(x)!;
  const signed = receiptPreimage(coreHashOf(crypto, key.core), x, node.key);
  return {
    x,
    nodeSignature: crypto.ed25519Sign(node.seed, signed),
    shareSignature: crypto.ed25519Sign(key.shares.get(x)!.seed, signed),
  };
}

/** An activation with these receipts; with every one when left out. */
export function activationOf(
  key: DealtKey,
  receipts: readonly Receipt[] = key.core.points.map(({ x }) => receiptFor(key, x)),
): Activation {
  const coreHash = coreHashOf(crypto, key.core);
  const signature = crypto.ed25519Sign(key.dealer.seed, activationPreimage(coreHash, receipts));
  return { coreHash, receipts: [...receipts], signature };
}

/** The key's manifest. */
export function manifestOf(key: DealtKey): Manifest {
  return {
    core: key.core,
    signatures: coreSignatures(key),
    pointsSignatures: pointsSignatures(key),
    activation: activationOf(key),
    amendments: [],
    successor: null,
  };
}

/** A revocation of the key's grants, by its owners: all that began before a time unless changed. */
export function revocationOf(
  key: DealtKey,
  changes: Partial<Pick<Revocation, 'grant' | 'issuedBefore'>> = {},
): Revocation {
  const { keyId, authority, nonce } = key.core;
  const unsigned = { keyId, authority, nonce, grant: null, issuedBefore: 1_790_000_000, ...changes };
  return { ...unsigned, signatures: signByOwners(key, revocationHashOf(crypto, unsigned)) };
}

/** The key's tombstone, by its owners. */
export function tombstoneOf(key: DealtKey, destroyedAtMs = 1_790_000_000_000): Tombstone {
  const { keyId, authority, nonce } = key.core;
  const signatures = signByOwners(key, tombstoneHashOf(crypto, { keyId, destroyedAtMs }));
  return { keyId, authority, nonce, destroyedAtMs, signatures };
}

/** What the owners sign for share records. */
export function pointsSignatures(key: DealtKey): AuthoritySignature[] {
  const { keyId, epoch, points } = key.core;
  return signByOwners(key, pointsHashOf(crypto, keyId, epoch, points));
}

/** The share record of x; changes are made before the share signs. */
export function shareRecordOf(key: DealtKey, x: number, changes: Partial<ShareRecord> = {}): ShareRecord {
  const { keyId, epoch, points, authority, nonce, length } = key.core;
  const record = {
    keyId,
    epoch,
    x,
    sequence: 0,
    ciphertext: fixedBytes(`ciphertext ${x}`, length + 17),
    points: points.map(point => ({ x: point.x, vk: point.vk })),
    authority,
    nonce,
    signatures: pointsSignatures(key),
    ...changes,
  };
  const signature = crypto.ed25519Sign(key.shares.get(x)!.seed, shareRecordPreimage(crypto, record));
  return { ...record, signature };
}

/** The signer of a node that may take a point: a standby of the core, or anybody by a label. */
export function standbyOf(label: string, i: number): Signer {
  return signerOf(`${label} standby ${i}`);
}

/** The first proposal of a key's chain: that a point goes to its first standby, unless changed. */
export function proposalFor(key: DealtKey, changes: Partial<Proposal> = {}): Proposal {
  const x = changes.x ?? key.core.points[0]!.x;
  return {
    sequence: 1,
    previous: coreHashOf(crypto, key.core),
    x,
    nodeKey: standbyOf('plain', 0).key,
    ek: crypto.x25519PublicKey(fixedBytes(`new ek ${x}`, 32)),
    reason: 'absent',
    ...changes,
  };
}

/** The vote of the holder of x. */
export function voteFor(key: DealtKey, proposal: Proposal, x: number, signer = key.nodes.get(x)!): Vote {
  const hash = proposalHashOf(crypto, coreHashOf(crypto, key.core), proposal);
  return { x, signature: crypto.ed25519Sign(signer.seed, votePreimage(hash, x)) };
}

/**
 * An amendment that the named node has accepted: signed by the owners, or by the holders of points.
 *
 * @param nominee who accepts; the first standby of the plain key when left out
 */
export function amendmentOf(
  key: DealtKey,
  proposal: Proposal,
  { nominee = standbyOf('plain', 0), voters = [] }: { nominee?: Signer; voters?: readonly number[] } = {},
): Amendment {
  const coreHash = coreHashOf(crypto, key.core);
  const expiresAtMs = 1_790_086_400_000;
  const accepted = acceptancePreimage(coreHash, proposal.x, proposal.ek, expiresAtMs);
  return {
    proposal,
    acceptance: { expiresAtMs, signature: crypto.ed25519Sign(nominee.seed, accepted) },
    signatures: voters.length > 0 ? [] : signByOwners(key, proposalHashOf(crypto, coreHash, proposal)),
    votes: voters.map(x => voteFor(key, proposal, x)),
  };
}
