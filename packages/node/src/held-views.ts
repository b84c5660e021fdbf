import { SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { type HeldKey, isSeated, manifestOf, openHeldShare, wipeHeldKey } from '@skerry/custody';
import { encodeAnswer, encodeManifest, encodeTombstone, type Manifest } from '@skerry/wire';
import type { CustodyOptions } from './custody-service.ts';
import type { HeldKeys } from './held-keys.ts';
import type { Turns } from './turns.ts';

/** A share that is served here. */
export type Holding = {
  readonly manifest: Manifest;
  readonly x: number;
  /** The seed of the share's verification key, 32 bytes; owned, and wiped, by whoever asked for it. */
  readonly shareSeed: Uint8Array;
};

/** What is known here of a key that is or was held, as a record of the DHT. */
function recordIn(held: HeldKey | null): Uint8Array | undefined {
  if (held?.grave) return encodeTombstone(held.grave.tombstone);
  const active = held?.active && manifestOf(held.active);
  const manifest = active ?? held?.incoming?.manifest ?? held?.left?.manifest;
  return manifest && encodeManifest(manifest);
}

/**
 * The answer to who asks what is known here of a key.
 *
 * @param freshen has a key caught up with that may have gone on
 * @throws KEY_UNKNOWN, STORE_CORRUPT, STORE_FAILED
 */
export async function recordPage(
  { recordOf }: Pick<CustodyOptions, 'recordOf'>,
  keys: HeldKeys,
  inTurn: Turns,
  freshen: (keyId: string) => Promise<void>,
  keyId: Uint8Array,
): Promise<Uint8Array> {
  const name = toHex(keyId);
  await freshen(name);
  const held = await inTurn(name, async () => keys.read(name));
  const found = recordIn(held) ?? recordOf(keyId);
  if (held) wipeHeldKey(held);
  if (!found) throw new SkerryError('KEY_UNKNOWN');
  return encodeAnswer('manifest', { record: found });
}

/** The manifest of a key that is served here. @throws STORE_CORRUPT, STORE_FAILED */
export function heldManifest(keys: HeldKeys, keyId: string): Manifest | undefined {
  const held = keys.read(keyId);
  if (held) wipeHeldKey(held);
  return held?.active ? manifestOf(held.active) : undefined;
}

/** The share that is served of a key by who holds its point, with the seed of its verification key. @throws SHARE_CORRUPT, STORE_CORRUPT */
export function holdingOf(keys: HeldKeys, nodeKey: Uint8Array, keyId: string): Holding | undefined {
  const held = keys.read(keyId);
  if (held === null) return undefined;
  try {
    const { active } = held;
    const manifest = active && manifestOf(active);
    if (!active || !manifest || !isSeated(active, nodeKey)) return undefined;
    const { keys: shareKeys, close } = openHeldShare(nodeCrypto, active, 'SHARE_CORRUPT');
    const shareSeed = shareKeys.signSeed.slice();
    close();
    return { manifest, x: active.x, shareSeed };
  } finally {
    wipeHeldKey(held);
  }
}
