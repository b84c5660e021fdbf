import { fromHex } from '@skerry/base';
import { type HolderEvent, wipeHeldKey } from '@skerry/custody';
import { parameters } from '../parameters.ts';
import type { CustodyOptions, CustodyService } from './custody-service.ts';
import type { HeldKeys } from './held-keys.ts';
import type { Turns } from './turns.ts';

/** What a custody service does to its keys by itself, and what it does with errors. */
export type Hands = {
  readonly run: (keyId: string, event: HolderEvent) => Promise<unknown>;
  readonly inTurn: Turns;
  readonly noteFailure: (error: unknown) => void;
};

/** What a holder does by itself: it drops what is over its time, and catches up with what it missed. */
type Upkeep = Pick<CustodyService, 'expire' | 'publishAll'> & {
  /** Steps a key with what the network says of it: its end, a later epoch, points that were moved. */
  readonly catchUp: (keyId: string) => Promise<void>;
};

/** Upkeep of the keys in a store. */
export function createUpkeep(
  { nodeKey, clock, publish, bury, lookUp }: CustodyOptions,
  keys: HeldKeys,
  { run, inTurn, noteFailure }: Hands,
): Upkeep {
  async function catchUp(keyId: string): Promise<void> {
    const record = await lookUp(fromHex(keyId) ?? new Uint8Array(), keys.knownHolders(keyId));
    if (record?.type === 'tombstone') {
      await run(keyId, { type: 'destroy', from: nodeKey, tombstone: record.tombstone });
    } else if (record) {
      await run(keyId, { type: 'update', from: nodeKey, manifest: record.manifest });
    }
  }

  async function publishKey(keyId: string): Promise<void> {
    const held = keys.read(keyId);
    if (held?.active) publish(held.active, false);
    if (held?.grave) bury(held.grave.tombstone, [], true);
    if (held) wipeHeldKey(held);
  }

  return {
    catchUp,
    expire: async signal => {
      const lapsed = keys.lapsedKeyIds(clock.nowMs());
      const deposits = lapsed.filter(keys.hasPending);
      for (const keyId of deposits.slice(0, parameters.lookupsPerLook)) {
        if (signal?.aborted) return;
        await catchUp(keyId).catch(noteFailure);
      }
      const waiting = new Set(deposits.slice(parameters.lookupsPerLook));
      for (const keyId of lapsed) {
        if (signal?.aborted) return; // a look-up that was cut short says nothing
        if (!waiting.has(keyId)) await run(keyId, { type: 'expire' }).catch(noteFailure);
      }
    },
    publishAll: async signal => {
      for (const keyId of keys.keyIds()) {
        if (signal.aborted) return;
        if (keys.isServed(keyId)) await catchUp(keyId).catch(noteFailure);
        await inTurn(keyId, async () => publishKey(keyId)).catch(noteFailure);
      }
    },
  };
}

/**
 * Has each key of a node that was away caught up with once, before it is answered for.
 *
 * @param keyIds of those keys, in hexadecimal
 * @returns resolves once that was done for a key
 */
export function createFreshness(keyIds: readonly string[], catchUp: (keyId: string) => Promise<void>) {
  const behind = new Map<string, Promise<void> | null>(keyIds.map(keyId => [keyId, null]));
  return async (keyId: string): Promise<void> => {
    if (!behind.has(keyId)) return;
    const underWay = behind.get(keyId) ?? catchUp(keyId).finally(() => behind.delete(keyId));
    if (behind.has(keyId)) behind.set(keyId, underWay);
    await underWay;
  };
}
