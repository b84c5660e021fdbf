import { assert, type Crypto, concatBytes, type Random, wipe } from '@skerry/base';
import type { Placement } from '@skerry/placement';
import { commitPayload, deriveShareKeys, type Share } from '@skerry/sharing';
import {
  type Authority,
  type AuthoritySignature,
  type Core,
  coreHashOf,
  type Deposit,
  nodeKeyOf,
  type Offer,
  offerPreimage,
  pointsHashOf,
} from '@skerry/wire';
import { offerLifeMs } from '../parameters.ts';
import { shareAad } from './held-share.ts';

/** What signs for a key: its authority, and as many signers as it needs. */
export type AuthoritySigner = {
  readonly authority: Authority;
  /** Signatures over a message by distinct keys, ascending by index, exactly `authority.needed`. */
  readonly sign: (message: Uint8Array) => AuthoritySignature[];
};

/** The sharing of a key that another takes the place of. */
export type Predecessor = { readonly epoch: number; readonly coreHash: Uint8Array };

/** Everything that one sharing is made from, besides its shares. */
type DealInput = {
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly signer: AuthoritySigner;
  /** The epoch before, which this one takes the place of; null for a new key. */
  readonly previous: Predecessor | null;
  /** The dealer's node key. */
  readonly dealer: Uint8Array;
  readonly placement: Placement;
  /** The HPKE key that each holder gave, by node id. */
  readonly holderKeys: ReadonlyMap<string, Uint8Array>;
  /** P = M || r. */
  readonly payload: Uint8Array;
  readonly box: Uint8Array | null;
  readonly delayMs: number;
  readonly nowMs: number;
};

/** One holder's deposit before its DEK is sealed to the holder. */
export type ShareDeposit = {
  readonly nodeId: string;
  readonly ek: Uint8Array;
  /** Fresh for this share; wiped by whoever carries out the deposit. */
  readonly dek: Uint8Array;
  readonly deposit: Omit<Deposit, 'sealedDek'>;
};

/** A dealt epoch: its core, signed, and a deposit for each holder. */
export type Dealt = {
  readonly core: Core;
  readonly coreHash: Uint8Array;
  readonly signatures: AuthoritySignature[];
  readonly pointsSignatures: AuthoritySignature[];
  readonly deposits: ShareDeposit[];
};

/**
 * The offer of a share to a node, signed by its dealer.
 *
 * @param dealer time, and the dealer's keys
 * @param order of the deal
 * @param nodeId of the node
 * @param length bytes of the payload
 */
export function makeOffer(
  dealer: {
    readonly crypto: Crypto;
    readonly nowMs: number;
    readonly nodeKey: Uint8Array;
    readonly nodeSeed: Uint8Array;
  },
  { keyId, nonce, signer, previous }: Pick<DealInput, 'keyId' | 'nonce' | 'signer' | 'previous'>,
  nodeId: string,
  length: number,
): Offer {
  const { crypto, nowMs, nodeKey, nodeSeed } = dealer;
  const offer = {
    keyId,
    epoch: epochAfter(previous),
    authority: signer.authority,
    nonce,
    dealer: nodeKey,
    holder: nodeKeyOf(nodeId),
    length,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + offerLifeMs,
  };
  return { ...offer, signature: crypto.ed25519Sign(nodeSeed, offerPreimage(offer)) };
}

function epochAfter(previous: Predecessor | null): number {
  return (previous?.epoch ?? 0) + 1;
}

function buildCore(crypto: Crypto, input: DealInput, shares: readonly Share[]): Core {
  const { keyId, placement, payload } = input;
  const { t, n, k, repairBudget, profile, risk, reduced, manual } = placement;
  const epoch = epochAfter(input.previous);
  const points = shares.map(share => {
    const keys = deriveShareKeys(crypto, { share, keyId, epoch, length: payload.length });
    wipe(keys.signSeed, keys.maskSeed);
    return { x: share.x, vk: keys.vk, mk: keys.mk };
  });
  return {
    version: 1,
    scheme: 'gf256',
    keyId,
    authority: input.signer.authority,
    nonce: input.nonce,
    dealer: input.dealer,
    epoch,
    previousHash: input.previous?.coreHash ?? null,
    originEpoch: epoch, // with a fresh r its payload is a new one, of the same key
    t,
    n,
    k,
    length: payload.length,
    commitment: commitPayload(crypto, { keyId, originEpoch: epoch, payload }),
    points: points.sort((a, b) => a.x - b.x),
    holders: placement.holders.map(({ nodeId }, i) => {
      const [share, ek] = [shares[i], input.holderKeys.get(nodeId)];
      assert(share !== undefined && ek !== undefined, 'each holder has a share and gave a key');
      return { x: share.x, nodeKey: nodeKeyOf(nodeId), ek };
    }),
    standby: placement.standby.map(({ nodeId }) => nodeKeyOf(nodeId)),
    repairBudget,
    profile,
    createdAtMs: input.nowMs,
    policy: { risk, delayMs: input.delayMs, reduced, manual, simulated: placement.certificate.simulated },
    box: input.box,
  };
}

/**
 * Turns shares into a signed core and one encrypted deposit for each holder (docs/PROTOCOL.md, deal). Each share is
 * encrypted under its own fresh key.
 *
 * @param input what the shares are of, and whose
 * @param shares k of them, in the order of the placement's holders; wiped here
 * @returns deposits that own their DEKs
 */
export function dealShares(
  crypto: Crypto,
  random: Random,
  input: DealInput,
  shares: readonly Share[],
): Dealt {
  const core = buildCore(crypto, input, shares);
  const { keyId, epoch } = core;
  const coreHash = coreHashOf(crypto, core);
  const signatures = input.signer.sign(coreHash);
  const pointsSignatures = input.signer.sign(pointsHashOf(crypto, keyId, epoch, core.points));
  const deposits = input.placement.holders.map(({ nodeId }, i): ShareDeposit => {
    const share = shares[i];
    const holder = core.holders[i];
    assert(share !== undefined && holder !== undefined, 'one share a holder');
    const dek = random.bytes(32);
    const plaintext = concatBytes(share.y, new Uint8Array([share.x]));
    const ciphertext = crypto.aeadSeal(dek, plaintext, shareAad(keyId, epoch, share.x));
    wipe(plaintext, share.y);
    const deposit = { core, signatures, pointsSignatures, x: share.x, ciphertext };
    return { nodeId, ek: holder.ek, dek, deposit };
  });
  return { core, coreHash, signatures, pointsSignatures, deposits };
}
