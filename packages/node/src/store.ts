import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes, equalBytes, SkerryError } from '@skerry/base';
import { ClassicLevel } from 'classic-level';
import { parameters } from '../parameters.ts';
import { createTurns, type Turns } from './turns.ts';

/** One change to the store. */
export type StoreChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

/** What must survive a crash: shares, epochs, uses of grants, audit entries. Keys are text, values any bytes. */
export type Store = {
  /**
   * The value last put, owned by the caller, or undefined.
   *
   * @throws STORE_CORRUPT where the disk gives back other bytes than were put, STORE_FAILED where it gives none
   */
  readonly get: (key: string) => Uint8Array | undefined;
  /** A change on disk when this resolves. @throws STORE_FAILED where the disk refuses */
  readonly put: (key: string, value: Uint8Array) => Promise<void>;
  /** A deletion on disk when this resolves. LevelDB drops the old bytes only later. @throws STORE_FAILED */
  readonly del: (key: string) => Promise<void>;
  /**
   * Rewrites the files that have values which a key had before, so that they are in none of them when this resolves.
   * What the file system and the disk keep of deleted files is beyond it. The key is the caller's alone
   * meanwhile: its value is written once more. @throws STORE_FAILED
   */
  readonly erase: (key: string) => Promise<void>;
  /** All changes or none, on disk when this resolves; a crash in between leaves none. @throws STORE_FAILED */
  readonly batch: (changes: readonly StoreChange[]) => Promise<void>;
  /**
   * Keys that begin with a prefix, in order, as they were when this began. Values are read one by one by `get`, so
   * that one that is corrupt does not hide the others.
   *
   * @throws STORE_CORRUPT, STORE_FAILED where the disk gives no keys
   */
  readonly keys: (prefix: string) => AsyncIterable<string>;
  /** Waits for writes under way, then lets go of the directory. */
  readonly close: () => Promise<void>;
};

type Level = ClassicLevel<string, Uint8Array>;

/** Every write waits for the disk: a receipt or a use must not be forgotten by a power cut. */
const durable = { sync: true } as const;

const checkBytes = 8;

/** What listing and erasing take turns at: an open iterator keeps old values alive. */
const files = 'files';

/**
 * Opens, or makes, the store in a directory.
 *
 * @param directory of this store alone; one process at a time
 * @throws HOME_INVALID where another process has it open
 * @throws STORE_CORRUPT where its files contradict themselves or writes were lost, STORE_FAILED where they cannot be read or written
 */
export async function openStore(directory: string): Promise<Store> {
  const level: Level = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await level.open();
    await noteDamage(directory);
  } catch (error) {
    await level.close();
    throw openingError(directory, error);
  }
  const inTurn = createTurns();
  const writer = createWriter(level, directory);
  const batch = async (changes: readonly StoreChange[]): Promise<void> => writer.write(changes.map(checked));
  return {
    get: key => {
      const stored = guardedSync(directory, () => level.getSync(key));
      return stored === undefined ? undefined : checkedValue(key, stored);
    },
    put: async (key, value) => batch([{ type: 'put', key, value }]),
    del: async key => batch([{ type: 'del', key }]),
    erase: async key => inTurn(files, async () => guarded(directory, async () => erase(level, writer, key))),
    batch,
    keys: prefix => keysFrom(level, directory, prefix, inTurn),
    close: async () => {
      await writer.close();
      await guarded(directory, async () => level.close());
    },
  };
}

type Writer = ReturnType<typeof createWriter>;

type Waiting = PromiseWithResolvers<void> & { readonly changes: readonly StoreChange[] };

/**
 * Writes one group of batches after the other: what comes while one is written is the next. After a write that failed
 * LevelDB would go on behind the half record in its log, and lose what follows when it next recovers: so nothing more
 * is written before it has recovered, which is tried once in a while when the disk has room again.
 */
function createWriter(level: Level, directory: string) {
  let waiting: Waiting[] = [];
  let working = Promise.resolve();
  let isWorking = false;
  let isTorn = false;
  let retryAtMs = 0;
  let isClosed = false;

  async function recover(): Promise<void> {
    if (performance.now() < retryAtMs) throw new SkerryError('STORE_FAILED', '', { directory });
    retryAtMs = performance.now() + parameters.storeRetryMs;
    await holdRoom(directory);
    await level.close();
    await level.open();
    await noteDamage(directory);
    isTorn = false;
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    try {
      if (isTorn) await recover();
      await level.batch(
        group.flatMap(({ changes }) => [...changes]),
        durable,
      );
      for (const { resolve } of group) resolve();
    } catch (error) {
      isTorn = true;
      for (const { reject } of group) reject(storeError(directory, error));
    }
  }

  async function work(): Promise<void> {
    isWorking = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await writeGroup(group);
    }
    isWorking = false;
  }

  return {
    write: async (changes: readonly StoreChange[]): Promise<void> => {
      if (isClosed) throw new SkerryError('STORE_FAILED', 'the store is closed', { directory });
      const entry = { ...Promise.withResolvers<void>(), changes };
      waiting.push(entry);
      if (!isWorking) working = work();
      return entry.promise;
    },
    close: async (): Promise<void> => {
      isClosed = true;
      await working;
    },
  };
}

/** Holds that the disk has room for a recovery, which begins with letting go of what can still be read. */
async function holdRoom(directory: string): Promise<void> {
  const path = join(directory, 'ROOM');
  try {
    await writeFile(path, new Uint8Array(parameters.storeRoomBytes), { mode: 0o600, flush: true });
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * LevelDB drops writes whose checksum fails when it recovers, says so in its LOG alone, and opens. A share or a use
 * of a grant may be among them: so that is noted in a file, and the store stays shut until somebody removes it.
 */
async function noteDamage(directory: string): Promise<void> {
  const note = join(directory, 'DAMAGED');
  const log = await readFile(join(directory, 'LOG'), 'latin1');
  const dropped = log.split('\n').filter(line => / dropping \d+ bytes; /.test(line));
  if (dropped.length > 0) await writeFile(note, dropped.join('\n'), { mode: 0o600, flush: true });
  try {
    await access(note);
  } catch {
    return;
  }
  const message = `writes in ${directory} were lost to a damaged disk; remove ${note} to go on without them`;
  throw new SkerryError('STORE_CORRUPT', message, { directory });
}

/**
 * A compaction drops an older value only where it merges a newer one into its level, so the value as it is now is
 * written once more between two of them: the first moves what is in memory to a level, the second merges.
 */
async function erase(level: Level, writer: Pick<Writer, 'write'>, key: string): Promise<void> {
  await level.compactRange(key, key);
  const value = level.getSync(key);
  await writer.write([value === undefined ? { type: 'del', key } : { type: 'put', key, value }]);
  await level.compactRange(key, key);
}

async function* keysFrom(
  level: Level,
  directory: string,
  prefix: string,
  inTurn: Turns,
): AsyncGenerator<string> {
  // U+FFFF sorts behind every character of a key
  const range = { gte: prefix, lt: `${prefix}\uffff` };
  yield* await inTurn(files, async () => guarded(directory, async () => level.keys(range).all()));
}

/** LevelDB checks blocks only on demand, and a value read under another's key would pass: so each has its own. */
function checked(change: StoreChange): StoreChange {
  if (change.type === 'del') return change;
  const { key, value } = change;
  return { ...change, value: concatBytes(checkOf(key, value), value) };
}

function checkedValue(key: string, stored: Uint8Array): Uint8Array {
  const value = new Uint8Array(stored.subarray(checkBytes)); // a copy, and no Buffer
  if (stored.length >= checkBytes && equalBytes(stored.subarray(0, checkBytes), checkOf(key, value)))
    return value;
  throw new SkerryError('STORE_CORRUPT', '', { key });
}

function checkOf(key: string, value: Uint8Array): Uint8Array {
  return createHash('sha256').update(key).update('\0').update(value).digest().subarray(0, checkBytes);
}

async function guarded<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(directory, error);
  }
}

function guardedSync<T>(directory: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeError(directory, error);
  }
}

function storeError(directory: string, error: unknown): SkerryError {
  if (error instanceof SkerryError) return error;
  const corrupt = causes(error).some(({ code }) => code === 'LEVEL_CORRUPTION');
  return new SkerryError(corrupt ? 'STORE_CORRUPT' : 'STORE_FAILED', '', { directory }, error);
}

function openingError(directory: string, error: unknown): SkerryError {
  if (error instanceof SkerryError) return error;
  const locked = causes(error).some(({ code }) => code === 'LEVEL_LOCKED');
  if (!locked) return storeError(directory, error);
  return new SkerryError('HOME_INVALID', 'another process has this home open', { directory }, error);
}

/** The error and what it was caused by: classic-level wraps what LevelDB said. */
function causes(error: unknown): { readonly code?: unknown }[] {
  const found: { readonly code?: unknown }[] = [];
  for (let next = error; next instanceof Error; next = next.cause) found.push(next as { code?: unknown });
  return found;
}
