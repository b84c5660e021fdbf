import { Record as DhtRecord, type KadDHTComponents } from '@libp2p/kad-dht';
import { assert, at, compareBytes, equalBytes, SkerryError } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';

/** What the DHT has to know about one kind of record; the rules themselves belong to the wire format. */
type RecordKind = {
  /** Bytes of one record. */
  readonly recordBytesMax: number;
  /** Records of this kind that a node keeps for the network. */
  readonly countMax: number;
  /** Bytes of all records of this kind that a node keeps for the network. */
  readonly bytesMax: number;
  /** Throws a SkerryError where the value is no valid record of that path. */
  readonly validate: (path: string, value: Uint8Array) => void;
  /** Orders two valid records of one path: positive where `a` is the newer, 0 only where they are the same. */
  readonly compare: (a: Uint8Array, b: Uint8Array) => number;
};

/** The kinds of record by their name, the second segment of the path: `/skerry/<kind>/...`. */
export type RecordKinds = Readonly<Record<string, RecordKind>>;

/** First segment of every path; kad-dht picks its validator by it. */
export const recordNamespace = 'skerry';

type Entry = {
  readonly storeKey: string;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
  readonly distance: Uint8Array;
};

type Datastore = KadDHTComponents['datastore'];
type DatastoreKey = Parameters<Datastore['get']>[0];

/**
 * The records that this node keeps for the DHT, in memory: valid ones only, never an older one in place of a newer
 * one, and of each kind at most `countMax` and `bytesMax`. Over that, those furthest from this node's own place in
 * the key space go, as Kademlia asks them of other nodes first. The node's own records are beside the limits.
 */
export type RecordShelf = {
  /** What kad-dht keeps its records in. Provider records, which Skerry does not use, are refused. */
  readonly datastore: Datastore;
  /** Throws a SkerryError where the value is no valid record of that path. */
  readonly validate: (path: string, value: Uint8Array) => void;
  /** Orders two valid records of one path: positive where `a` is the newer. */
  readonly compare: (path: string, a: Uint8Array, b: Uint8Array) => number;
  /** The record kept, if any. Throws RECORD_INVALID for a path that no kind has. */
  readonly read: (path: string) => Uint8Array | undefined;
  /** Exempts a path from the limits, since this node publishes it; the returned function ends that. */
  readonly own: (path: string) => () => void;
  /** The paths of all records of a kind. */
  readonly paths: (kind: string) => string[];
  /** How many records of a kind are kept. */
  readonly count: (kind: string) => number;
};

/** The path that a DHT key spells. Bytes that are not UTF-8 give a path that no kind has. */
export function pathOf(key: Uint8Array): string {
  return new TextDecoder().decode(key);
}

/**
 * @param kinds the kinds of record that exist
 * @param ownKey this node's place in the key space: the bytes whose SHA-256 kad-dht takes
 */
export function createRecordShelf(kinds: RecordKinds, ownKey: Uint8Array): RecordShelf {
  const here = nodeCrypto.sha256(ownKey);
  const entries = createEntries(Object.keys(kinds));
  const owned = new Map<string, number>();

  /** Keeps a record that was validated, or throws. Nothing is awaited in here, so two writers cannot interleave. */
  function keep(storeKey: string, bytes: Uint8Array): void {
    const { key, value } = DhtRecord.deserialize(bytes);
    const path = pathOf(key);
    const { name, kind } = kindOf(kinds, path);
    const stored = entries.get(path);
    if (stored !== undefined && !equalBytes(stored.value, value) && kind.compare(value, stored.value) <= 0) {
      throw new SkerryError('RECORD_STALE');
    }
    entries.add(path, { storeKey, kind: name, bytes, value, distance: distanceBetween(here, key) });
    const total = entries.total(name);
    while (total.count > kind.countMax || total.bytes > kind.bytesMax) {
      const furthest = entries.furthest(name, candidate => !owned.has(candidate));
      if (furthest === undefined) break;
      entries.remove(furthest);
    }
    if (entries.get(path) === undefined) {
      throw new SkerryError('QUOTA_EXCEEDED', 'this node keeps records nearer to it');
    }
  }

  function own(path: string): () => void {
    owned.set(path, (owned.get(path) ?? 0) + 1);
    return () => {
      const claims = owned.get(path);
      assert(claims !== undefined, 'a path is released as often as it was claimed');
      if (claims === 1) owned.delete(path);
      else owned.set(path, claims - 1);
    };
  }

  return {
    datastore: datastoreOver({
      read: storeKey => entries.get(entries.pathOf(storeKey))?.bytes,
      keep,
      remove: storeKey => entries.remove(entries.pathOf(storeKey)),
    }),
    validate: (path, value) => validateRecord(kinds, path, value),
    compare: (path, a, b) => kindOf(kinds, path).kind.compare(a, b),
    read: path => {
      kindOf(kinds, path);
      return entries.get(path)?.value;
    },
    own,
    paths: entries.pathsOf,
    count: name => entries.total(name).count,
  };
}

type Total = { count: number; bytes: number };

type Entries = {
  readonly get: (path: string) => Entry | undefined;
  /** The path that kad-dht's name for a record stands for; one that no record has where it stands for none. */
  readonly pathOf: (storeKey: string) => string;
  readonly add: (path: string, entry: Entry) => void;
  readonly remove: (path: string) => void;
  readonly pathsOf: (kind: string) => string[];
  /** How many entries of a kind there are and how large they are: kept up to date in place. */
  readonly total: (kind: string) => Readonly<Total>;
  /** The entry of a kind that is furthest from this node, among those that may go. */
  readonly furthest: (kind: string, mayGo: (path: string) => boolean) => string | undefined;
};

function createEntries(kindNames: readonly string[]): Entries {
  const entries = new Map<string, Entry>();
  const paths = new Map<string, string>();
  const totals = new Map<string, Total>(kindNames.map(name => [name, { count: 0, bytes: 0 }]));
  const totalOf = (kind: string): Total => {
    const total = totals.get(kind);
    assert(total !== undefined, 'every kind has its total');
    return total;
  };

  function change(entry: Entry, sign: 1 | -1): void {
    const total = totalOf(entry.kind);
    total.count += sign;
    total.bytes += sign * entry.bytes.length;
  }

  function remove(path: string): void {
    const entry = entries.get(path);
    if (entry === undefined) return;
    change(entry, -1);
    paths.delete(entry.storeKey);
    entries.delete(path);
  }

  return {
    get: path => entries.get(path),
    pathOf: storeKey => paths.get(storeKey) ?? '',
    add: (path, entry) => {
      remove(path);
      change(entry, 1);
      paths.set(entry.storeKey, path);
      entries.set(path, entry);
    },
    remove,
    pathsOf: kind => [...entries].filter(([, entry]) => entry.kind === kind).map(([path]) => path),
    total: totalOf,
    furthest: (kind, mayGo) => {
      let found: { readonly path: string; readonly distance: Uint8Array } | undefined;
      for (const [path, entry] of entries) {
        if (entry.kind !== kind || !mayGo(path)) continue;
        if (found === undefined || compareBytes(entry.distance, found.distance) > 0) {
          found = { path, distance: entry.distance };
        }
      }
      return found?.path;
    },
  };
}

function kindOf(kinds: RecordKinds, path: string): { readonly name: string; readonly kind: RecordKind } {
  const [empty, namespace, name = ''] = path.split('/');
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (empty !== '' || namespace !== recordNamespace || kind === undefined) {
    throw new SkerryError('RECORD_INVALID', 'no kind of record has such a path');
  }
  return { name, kind };
}

function validateRecord(kinds: RecordKinds, path: string, value: Uint8Array): void {
  const { kind } = kindOf(kinds, path);
  if (value.length > kind.recordBytesMax) {
    throw new SkerryError('MESSAGE_TOO_LARGE', '', { bytes: value.length, bytesMax: kind.recordBytesMax });
  }
  kind.validate(path, value);
}

/** XOR distance in the key space (Maymounkov and Mazieres 2002, section 2.1). */
function distanceBetween(here: Uint8Array, key: Uint8Array): Uint8Array {
  return nodeCrypto.sha256(key).map((byte, i) => byte ^ at(here, i));
}

/** The four methods of a datastore that kad-dht calls; it knows absence by the error's name. */
function datastoreOver(shelf: {
  readonly read: (storeKey: string) => Uint8Array | undefined;
  readonly keep: (storeKey: string, bytes: Uint8Array) => void;
  readonly remove: (storeKey: string) => void;
}): Datastore {
  const store = {
    get: async (key: DatastoreKey) => {
      const bytes = shelf.read(key.toString());
      if (bytes !== undefined) return bytes;
      throw Object.assign(new Error('no such record'), { name: 'NotFoundError' });
    },
    put: async (key: DatastoreKey, bytes: Uint8Array) => {
      shelf.keep(key.toString(), bytes);
      return key;
    },
    delete: async (key: DatastoreKey) => shelf.remove(key.toString()),
    async *query() {
      // only provider records are ever listed, and there are none
    },
  };
  return store as unknown as Datastore;
}
