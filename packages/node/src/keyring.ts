import { fromHex, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import type { PlacementCertificate } from '@skerry/placement';
import { bytes, decode, decodeManifest, encode, encodeManifest, type Manifest, tuple } from '@skerry/wire';
import type { Store } from './store.ts';

/** What the owner keeps of a key and tells nobody: why its holders were chosen, and what they protect. */
export type KeyNotes = {
  /** Unix ms. */
  readonly createdAtMs: number;
  readonly certificate: PlacementCertificate;
  /** Level that the data's entropy was measured at; null where nothing was measured. */
  readonly measuredRisk: string | null;
  /** How each holder is called in messages, by node id. */
  readonly labels: Readonly<Record<string, string>>;
};

/** A key of this home's owner. */
export type OwnedKey = { readonly manifest: Manifest; readonly notes: KeyNotes };

/** The owner's keys: their manifests and notes, on disk before a deal is activated. Never the key itself. */
export type Keyring = {
  readonly get: (keyId: Uint8Array) => OwnedKey | undefined;
  readonly put: (key: OwnedKey) => Promise<void>;
  readonly list: () => Promise<OwnedKey[]>;
};

const shape = tuple({ manifest: bytes(1, 524_288), notes: bytes(2, 1_048_576) });
const recordBytesMax = 2 * 1024 * 1024;

function encodeKey({ manifest, notes }: OwnedKey): Uint8Array {
  return encode(shape, {
    manifest: encodeManifest(manifest),
    notes: new TextEncoder().encode(JSON.stringify(notes)),
  });
}

function decodeKey(stored: Uint8Array): OwnedKey {
  const { manifest, notes } = decode(shape, stored, recordBytesMax, 'owned key');
  return {
    manifest: decodeManifest(nodeCrypto, manifest),
    notes: JSON.parse(new TextDecoder().decode(notes)) as KeyNotes,
  };
}

/** The keyring in a node's store. */
export function createKeyring(store: Store): Keyring {
  const nameOf = (keyId: Uint8Array): string => `key/${toHex(keyId)}`;
  return {
    get: keyId => {
      const stored = store.get(nameOf(keyId));
      return stored && decodeKey(stored);
    },
    put: async key => store.put(nameOf(key.manifest.core.keyId), encodeKey(key)),
    list: async () => {
      const keys: OwnedKey[] = [];
      for await (const { value } of store.list('key/')) keys.push(decodeKey(value));
      return keys;
    },
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
