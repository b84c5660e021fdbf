import type { Crypto, ErrorCode, Random, SkerryError } from '@skerry/base';
import type { Placement } from '@skerry/placement';
import type { Share } from '@skerry/sharing';
import type { Accept, Activation, Manifest, Offer, Receipt, RequestAnswer } from '@skerry/wire';
import type { AuthoritySigner, Dealt, Predecessor, ShareDeposit } from './deal.ts';

/** What a deal is asked to do. */
export type DealOrder = {
  /** Key material, 1 to 65,536 bytes; the dealer's to wipe. */
  readonly key: Uint8Array;
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly signer: AuthoritySigner;
  /** The epoch that this deal takes the place of; null for a new key. */
  readonly previous: Predecessor | null;
  readonly delayMs: number;
  /** Places the key on the network as it is, leaving out nodes; throws PLACEMENT_INFEASIBLE. */
  readonly place: (excluded: ReadonlySet<string>) => Placement;
};

/** What a dealer's step may use of the world outside its state. */
export type DealerEnv = {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly nowMs: number;
  /** The dealer's node key and its seed, 32 bytes each. */
  readonly nodeKey: Uint8Array;
  readonly nodeSeed: Uint8Array;
};

/** Where a deal stands. `waiting` are the holders whose answer is outstanding. */
type Phase =
  | { readonly name: 'offering'; readonly offers: ReadonlyMap<string, Offer> }
  | { readonly name: 'splitting' }
  | { readonly name: 'depositing'; readonly dealt: Dealt; readonly receipts: readonly Receipt[] }
  /** A later epoch is opened before anybody serves it. */
  | { readonly name: 'verifying'; readonly manifest: Manifest }
  | { readonly name: 'storing'; readonly manifest: Manifest }
  | {
      readonly name: 'activating';
      readonly manifest: Manifest;
      /** How often the activation was sent to those that have not acknowledged it. */
      readonly tries: number;
      readonly acknowledged: ReadonlySet<string>;
    }
  | { readonly name: 'ended' };

/** The dealer's machine. */
export type DealerState = {
  readonly order: DealOrder;
  readonly placement: Placement;
  readonly payload: Uint8Array;
  readonly box: Uint8Array | null;
  readonly attempt: number;
  readonly phase: Phase;
  readonly waiting: ReadonlySet<string>;
  /** ek by node id of those that accepted. */
  readonly accepted: ReadonlyMap<string, Uint8Array>;
  /** Why nodes were left out, by node id. */
  readonly failed: ReadonlyMap<string, ErrorCode>;
};

/**
 * What happens to a deal. Each request is answered by one event, its error code where it failed or its time is over.
 * Answers that come after their step has moved on are ignored. `failed` says that an effect could not be carried out.
 */
export type DealerEvent =
  | { readonly type: 'offer-answered'; readonly nodeId: string; readonly answer: Accept | ErrorCode }
  | { readonly type: 'split'; readonly shares: readonly Share[] }
  | { readonly type: 'deposit-answered'; readonly nodeId: string; readonly answer: Receipt | ErrorCode }
  /** Whether the shares that were deposited give the payload. */
  | { readonly type: 'verified'; readonly isRight: boolean }
  | { readonly type: 'manifest-stored' }
  | {
      readonly type: 'activate-answered';
      readonly nodeId: string;
      readonly answer: RequestAnswer<'activate'> | ErrorCode;
    }
  | { readonly type: 'failed'; readonly error: SkerryError };

/** What the world is to do for a deal. Every request has the deadline `dealStepMs` and answers as an event. */
export type DealerEffect =
  | { readonly type: 'offer'; readonly nodeId: string; readonly offer: Offer; readonly deadlineMs: number }
  | { readonly type: 'split'; readonly payload: Uint8Array; readonly k: number; readonly t: number }
  | {
      readonly type: 'deposit';
      readonly share: ShareDeposit;
      readonly info: Uint8Array;
      readonly deadlineMs: number;
    }
  /**
   * Opens the epoch from its holders, by a grant that names it, and compares what comes with the payload, which stays the
   * machine's.
   */
  | { readonly type: 'verify'; readonly manifest: Manifest; readonly payload: Uint8Array }
  | { readonly type: 'store-manifest'; readonly manifest: Manifest; readonly placement: Placement }
  | {
      readonly type: 'activate';
      readonly nodeId: string;
      readonly keyId: Uint8Array;
      readonly activation: Activation;
      readonly deadlineMs: number;
    }
  | {
      readonly type: 'done';
      readonly manifest: Manifest;
      readonly placement: Placement;
      /** Holders that have not said that they serve the key; they have their share. */
      readonly silent: readonly string[];
    }
  | { readonly type: 'fail'; readonly error: SkerryError };

/** A deal after a step: its state, and what is to be done. */
export type DealerStep = { readonly state: DealerState; readonly effects: readonly DealerEffect[] };
