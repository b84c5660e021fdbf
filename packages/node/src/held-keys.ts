import { equalBytes, type Log, SkerryError, toHex, wipe } from '@skerry/base';
import { decodeHeldKey, encodeHeldKey, type HeldKey, type HolderStep, wipeHeldKey } from '@skerry/custody';
import { nodeIdOf, seatsOf } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { openAuditTrails } from './audit-trails.ts';
import { createHoldings } from './holdings.ts';
import type { Store, StoreChange } from './store.ts';

const prefix = 'held/';

/** The keys of which this node holds a share or an offer: their records on disk, and counts of them. */
export type HeldKeys = Omit<ReturnType<typeof createHoldings>, 'set'> & {
  /**
   * A key's state as stored, null where nothing is kept; the caller wipes it.
   *
   * @throws STORE_CORRUPT for a record that is damaged, which stays as it is; STORE_FAILED
   */
  readonly read: (keyId: string) => HeldKey | null;
  /** Who holds a key besides this node, as far as is known here: node ids; none where its record is damaged. */
  readonly knownHolders: (keyId: string) => string[];
  /**
   * Writes what a step asks to be stored and noted, as one batch: on disk when this resolves. From its call on, the
   * quotas count what is written; where the disk refuses, as before.
   *
   * @throws STORE_FAILED
   */
  readonly write: (keyId: string, step: HolderStep, nowMs: number) => Promise<void>;
  /**
   * Removes what the store's files still have of a key's states before.
   *
   * @throws STORE_FAILED
   */
  readonly erase: (keyId: string) => Promise<void>;
  /** Records that are damaged: refused, and left on the disk as they are. */
  readonly corruptCount: () => number;
};

/** A record that is none: damaged on disk, not of its shape, or another key's. */
function decodeRecord(store: Pick<Store, 'get'>, keyId: string): HeldKey | null {
  const stored = store.get(`${prefix}${keyId}`);
  if (stored === undefined) return null;
  try {
    const held = decodeHeldKey(stored);
    if (toHex(held.keyId) === keyId) return held;
    wipeHeldKey(held);
  } catch (error) {
    if (!(error instanceof SkerryError)) throw error;
  } finally {
    wipe(stored);
  }
  throw new SkerryError('STORE_CORRUPT', '', { keyId });
}

/**
 * The held keys in a store. Damaged records are logged and counted, and everything else is served.
 *
 * @param nodeKey of this node
 * @throws STORE_FAILED, STORE_CORRUPT where the store does not give its keys
 */
export async function openHeldKeys(store: Store, nodeKey: Uint8Array, log: Log): Promise<HeldKeys> {
  const { set, ...holdings } = createHoldings(nodeKey);
  const trails = await openAuditTrails(store, parameters.auditLinesMax);
  const corrupt = new Set<string>();

  function read(keyId: string): HeldKey | null {
    if (corrupt.has(keyId)) throw new SkerryError('STORE_CORRUPT', '', { keyId });
    try {
      return decodeRecord(store, keyId);
    } catch (error) {
      if (error instanceof SkerryError && error.code === 'STORE_CORRUPT') {
        corrupt.add(keyId);
        set(keyId, null);
        log.error('a held share is damaged on disk: it is not served, and its record is left as it is', {
          keyId,
        });
      }
      throw error;
    }
  }

  async function write(keyId: string, { held, effects }: HolderStep, nowMs: number): Promise<void> {
    const changes: StoreChange[] = trails.append(
      keyId,
      effects.filter(effect => effect.type === 'audit'),
      nowMs,
    );
    const key = `${prefix}${keyId}`;
    const isStored = effects.some(({ type }) => type === 'store');
    const value = isStored && held ? encodeHeldKey(held) : null;
    if (isStored && value) changes.push({ type: 'put', key, value });
    if (isStored && !value) changes.push({ type: 'del', key }, ...trails.drop(keyId));
    const takeBack = isStored ? set(keyId, held) : () => undefined;
    try {
      if (changes.length > 0) await store.batch(changes);
    } catch (error) {
      takeBack();
      throw error;
    } finally {
      if (value) wipe(value);
    }
  }

  for await (const key of store.keys(prefix)) {
    const keyId = key.slice(prefix.length);
    try {
      const held = read(keyId);
      set(keyId, held);
      if (held) wipeHeldKey(held);
    } catch (error) {
      if (!corrupt.has(keyId)) throw error;
    }
  }
  function knownHolders(keyId: string): string[] {
    if (corrupt.has(keyId)) return [];
    const held = read(keyId);
    if (!held) return [];
    const { active, pending, incoming, left } = held;
    const known = active ?? incoming?.manifest ?? left?.manifest ?? pending;
    wipeHeldKey(held);
    const seats = known ? seatsOf(known) : [];
    return seats.filter(seat => !equalBytes(seat.nodeKey, nodeKey)).map(seat => nodeIdOf(seat.nodeKey));
  }

  const erase = async (keyId: string): Promise<void> => store.erase(`${prefix}${keyId}`);
  return { ...holdings, read, knownHolders, write, erase, corruptCount: () => corrupt.size };
}
