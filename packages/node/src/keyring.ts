import { fromHex, type Log, type Risk, SkerryError, toHex } from '@skerry/base';
import type { Candidate, PlacementCertificate } from '@skerry/placement';
import {
  bytes,
  decode,
  encode,
  encodeManifest,
  integer,
  type Manifest,
  manifestBytesMax,
  nullable,
  parseManifest,
  secondsMax,
  type Tombstone,
  tombstoneShape,
  tuple,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { Store, StoreChange } from './store.ts';

/** What the owner keeps of a key and tells nobody: why its holders were chosen, and what they protect. */
export type KeyNotes = {
  /** Unix ms. */
  readonly createdAtMs: number;
  readonly certificate: PlacementCertificate;
  /** Level that the data's entropy was measured at; null where nothing was measured. */
  readonly measuredRisk: Risk | null;
  /** What the key is for: a sealed file, or bytes that its owner gave. */
  readonly kind: 'sealed' | 'extractable';
  /** The owner's name for it, if any. */
  readonly alias: string | null;
  /** How each holder is called in messages, by node id. */
  readonly labels: Readonly<Record<string, string>>;
  /** Those that held points of this epoch before, as they were known: they may have copies. */
  readonly former: readonly Candidate[];
  /** The highest level that anything under the key asked for; it never falls, and nobody else learns of it. */
  readonly raisedTo: Risk;
  /** Whether t shares of one epoch may have leaked. That stays, whatever is dealt after: who has them has the key. */
  readonly exposed?: boolean;
};

/** A key of this home's owner. */
export type OwnedKey = {
  readonly manifest: Manifest;
  /** The epoch before, until enough holders have said that they serve the new one; then null. */
  readonly previous: Manifest | null;
  readonly notes: KeyNotes;
  /** Its grants that began before are revoked, seconds since 1970: new ones begin then or later. */
  readonly revokedBefore: number;
  /** That it is destroyed, or null. Nothing takes that back. */
  readonly tombstone: Tombstone | null;
};

/** The owner's keys: their manifests and notes, on disk before a deal is activated. Never the key itself. */
export type Keyring = {
  /** @throws STORE_CORRUPT where the entry is damaged, STORE_FAILED */
  readonly get: (keyId: Uint8Array) => OwnedKey | undefined;
  /** The change that puts a key, for a batch with what goes with it. */
  readonly change: (key: OwnedKey) => StoreChange;
  /** All that can be read, in the order of their ids. Damaged entries are logged, and stay. @throws STORE_FAILED */
  readonly list: () => Promise<OwnedKey[]>;
};

const prefix = 'key/';
const shape = tuple({
  manifest: bytes(1, manifestBytesMax),
  previous: nullable(bytes(1, manifestBytesMax)),
  notes: bytes(2, parameters.keyNotesBytesMax),
  revokedBefore: integer(0, secondsMax),
  tombstone: nullable(tombstoneShape),
});

function encodeKey(key: OwnedKey): Uint8Array {
  return encode(shape, {
    ...key,
    manifest: encodeManifest(key.manifest),
    previous: key.previous && encodeManifest(key.previous),
    notes: new TextEncoder().encode(JSON.stringify(key.notes)),
  });
}

/** An entry whose checksum held; one that still does not decode was written by another version, or is none. */
function decodeKey(keyId: string, stored: Uint8Array): OwnedKey {
  try {
    const { manifest, previous, notes, ...rest } = decode(shape, stored, shape.bytesMax, 'owned key');
    const key = {
      ...rest,
      manifest: parseManifest(manifest), // verified, or made here, before it was put; the store's checksum held
      previous: previous && parseManifest(previous),
      notes: JSON.parse(new TextDecoder().decode(notes)) as KeyNotes,
    };
    if (toHex(key.manifest.core.keyId) === keyId) return key;
  } catch (error) {
    if (!(error instanceof SkerryError || error instanceof SyntaxError)) throw error;
  }
  throw new SkerryError('STORE_CORRUPT', 'an entry of the keyring is damaged', { keyId });
}

/** The keyring in a node's store. */
export function createKeyring(store: Store, log: Log): Keyring {
  /** The entry read last: an open reads its own three times, and decoding one takes longer than reading it. */
  let latest: { readonly keyId: string; readonly stored: Uint8Array; readonly key: OwnedKey } | undefined;

  function read(keyId: string): OwnedKey | undefined {
    const stored = store.get(`${prefix}${keyId}`);
    if (!stored) return undefined;
    if (!latest || latest.keyId !== keyId || Buffer.compare(latest.stored, stored) !== 0) {
      latest = { keyId, stored, key: decodeKey(keyId, stored) };
    }
    return latest.key;
  }

  async function list(): Promise<OwnedKey[]> {
    const keys: OwnedKey[] = [];
    for await (const name of store.keys(prefix)) {
      const keyId = name.slice(prefix.length);
      try {
        const key = read(keyId);
        if (key) keys.push(key);
      } catch (error) {
        if (!(error instanceof SkerryError) || error.code !== 'STORE_CORRUPT') throw error;
        log.error('an entry of the keyring is damaged on disk: the key is left out', { keyId });
      }
    }
    return keys;
  }

  return {
    get: keyId => read(toHex(keyId)),
    change: key => ({
      type: 'put',
      key: `${prefix}${toHex(key.manifest.core.keyId)}`,
      value: encodeKey(key),
    }),
    list,
  };
}

/**
 * The 32 bytes of a key id in text.
 *
 * @throws CONFIG_INVALID where it is not 64 hexadecimal digits
 */
export function parseKeyId(text: string): Uint8Array<ArrayBuffer> {
  const keyId = fromHex(text);
  if (keyId?.length !== 32) throw new SkerryError('CONFIG_INVALID', 'a key id is 64 hexadecimal digits');
  return keyId;
}
