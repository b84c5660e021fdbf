import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type ErrorCode, type Log, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import {
  bytes,
  decode,
  decodeRequest,
  deletionPreimage,
  encode,
  encodeRequest,
  list,
  nodeIdOf,
  nodeKeyOf,
  type Request,
  timeMs,
  tombstoneHashOf,
  tuple,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { ask, codeOf } from './asking.ts';
import { createDeletions } from './deletions.ts';
import type { Store, StoreChange } from './store.ts';
import type { PeerStreams } from './streams.ts';

/** What the owner of a key has to tell every holder of it. */
export type Notice = Extract<Request, { name: 'activate' | 'update' | 'revoke' | 'destroy' }>;

/** Holders that have not taken a notice in, and what came of asking them. */
export type Outstanding = ReadonlyMap<string, ErrorCode>;

/**
 * Tells holders what the owner of a key decided, until each has acknowledged or it no longer matters. What is left to
 * tell is on the disk, so that neither a crash nor a holder's absence loses any of it.
 */
export type Notices = {
  /**
   * The change that notes a notice, for a batch with what it is about. After that, `tell` or `settle` goes on with it,
   * or else the next start. It takes the place of one that is still told: of revocations of all grants the latest says
   * all that the others did, and of manifests too, which so goes to those as well that were still to be told of another.
   *
   * @param nodeIds who is to be told
   * @param untilMs when it no longer matters, Unix ms
   */
  readonly note: (notice: Notice, nodeIds: readonly string[], untilMs: number) => StoreChange;
  /** Asks all that are left, now, and returns those still left: they are asked again. @throws STORE_FAILED */
  readonly tell: (notice: Notice) => Promise<Outstanding>;
  /** Leaves only these to be told, as the others were on another way. @throws STORE_FAILED */
  readonly settle: (notice: Notice, nodeIds: readonly string[]) => Promise<void>;
  /** Ends telling; what is left stays on the disk. */
  readonly close: () => Promise<void>;
};

type NoticesOptions = {
  readonly store: Store;
  readonly streams: Pick<PeerStreams, 'request' | 'isAlive'>;
  readonly clock: Clock;
  readonly log: Log;
};

/** A notice under way. */
type Errand = {
  readonly notice: Notice;
  readonly nodeIds: Set<string>;
  readonly untilMs: number;
  /** When to try again, and after how much longer a wait the time after that; both on the monotonic clock. */
  dueMs: number;
  waitMs: number;
};

const prefix = 'notice/';
const shape = tuple({
  request: bytes(1, parameters.frameBytesMax),
  nodeKeys: list(bytes(32), 1, 255),
  untilMs: timeMs,
});

/** A notice's place in the store: a key has one activation, manifest and tombstone, and any number of revocations. */
function storeKeyOf({ name, body }: Notice): string {
  const which = name === 'revoke' ? `/${body.grant?.jti ?? 'all'}` : '';
  const keyId = name === 'update' ? body.core.keyId : body.keyId;
  return `${prefix}${name}/${toHex(keyId)}${which}`;
}

function changeFor(notice: Notice, nodeIds: Iterable<string>, untilMs: number): StoreChange {
  const nodeKeys = [...nodeIds].map(nodeKeyOf);
  if (nodeKeys.length === 0) return { type: 'del', key: storeKeyOf(notice) };
  const request = encodeRequest(notice.name, notice.body);
  return { type: 'put', key: storeKeyOf(notice), value: encode(shape, { request, nodeKeys, untilMs }) };
}

/** An errand as the store has it, or undefined where it has none. */
function readErrand(store: Store, key: string): Errand | undefined {
  const stored = store.get(key);
  if (!stored) return undefined;
  const { request, nodeKeys, untilMs } = decode(shape, stored, shape.bytesMax, 'notice');
  const notice = decodeRequest(request) as Notice;
  const { noticeWaitMsMin: waitMs } = parameters;
  return { notice, nodeIds: new Set(nodeKeys.map(nodeIdOf)), untilMs, dueMs: performance.now(), waitMs };
}

const knowsBetter: ReadonlySet<ErrorCode> = new Set(['KEY_UNKNOWN', 'EPOCH_MISMATCH', 'CORE_MISMATCH']);

/** What came of asking a holder: the code of what went wrong, if anything did, and a deletion that it signed. */
type Told = { readonly code?: ErrorCode; readonly deletion?: Uint8Array };

/** Asks one holder. A deletion counts once it is signed. */
async function askHolder(
  streams: NoticesOptions['streams'],
  { name, body }: Notice,
  nodeId: string,
): Promise<Told> {
  const deadline = { deadlineMs: parameters.noticeDeadlineMs };
  try {
    if (name === 'activate') await ask(streams, nodeId, name, body, deadline);
    else if (name === 'update') await ask(streams, nodeId, name, body, deadline);
    else if (name === 'revoke') await ask(streams, nodeId, name, body, deadline);
    else {
      const { signature } = await ask(streams, nodeId, name, body, deadline);
      const nodeKey = nodeKeyOf(nodeId);
      const signed = deletionPreimage(tombstoneHashOf(nodeCrypto, body), nodeKey);
      const isTrue = nodeCrypto.ed25519Verify(nodeKey, signed, signature);
      return isTrue ? { deletion: signature } : { code: 'SIGNATURE_INVALID' };
    }
    return {};
  } catch (error) {
    const code = codeOf(error);
    // what is destroyed needs no other notice; who holds nothing of a key, or knows more of it, needs no manifest
    const isDestroyed = code === 'KEY_DESTROYED' && name !== 'destroy';
    return isDestroyed || (name === 'update' && knowsBetter.has(code)) ? {} : { code };
  }
}

async function loadErrands({ store, log }: NoticesOptions): Promise<Map<string, Errand>> {
  const errands = new Map<string, Errand>();
  for await (const key of store.keys(prefix)) {
    try {
      const errand = readErrand(store, key);
      if (errand) errands.set(key, errand);
    } catch (error) {
      if (!(error instanceof SkerryError)) throw error;
      log.error('a notice to holders is damaged on disk: it is not told', { key });
    }
  }
  return errands;
}

/** Asks holders of an errand; those that took it in are off the list, on the disk too. */
function createRunner({ store, streams, clock, log }: NoticesOptions, errands: Map<string, Errand>) {
  const deletions = createDeletions(store, log);

  return async (key: string, errand: Errand, nodeIds: readonly string[]): Promise<Outstanding> => {
    const { notice, untilMs } = errand;
    const outstanding = new Map<string, ErrorCode>();
    const noted: StoreChange[] = [];
    const askOne = async (nodeId: string): Promise<void> => {
      const { code, deletion } = await askHolder(streams, notice, nodeId);
      if (code === undefined) errand.nodeIds.delete(nodeId);
      else outstanding.set(nodeId, code);
      if (!deletion || notice.name !== 'destroy') return;
      const signed = { nodeId, atMs: clock.nowMs(), signature: deletion };
      noted.push(deletions.change(toHex(notice.body.keyId), signed));
    };
    await Promise.all(nodeIds.map(askOne));
    // what another notice took the place of meanwhile must not come back
    const isCurrent = (): boolean => errands.get(key) === errand;
    if (outstanding.size < nodeIds.length && isCurrent()) {
      await store.batch([changeFor(notice, errand.nodeIds, untilMs), ...noted]);
      log.info('holders took in a notice', { notice: key, left: errand.nodeIds.size });
    }
    if (errand.nodeIds.size === 0 && isCurrent()) errands.delete(key);
    return outstanding;
  };
}

/**
 * Goes on with the notices that a store has, and takes new ones.
 *
 * @throws STORE_FAILED, STORE_CORRUPT where the store does not give its keys
 */
export async function openNotices(options: NoticesOptions): Promise<Notices> {
  const { store, streams, clock, log } = options;
  const errands = await loadErrands(options);
  const run = createRunner(options, errands);
  const ending = new AbortController();

  async function tryAgain(key: string, errand: Errand): Promise<void> {
    if (errand.untilMs <= clock.nowMs()) {
      errands.delete(key);
      return store.del(key);
    }
    const within = [...errand.nodeIds].filter(streams.isAlive);
    // those that are away are told soon after they are back; those that refuse are asked ever more seldom
    if (within.length > 0) errand.waitMs = Math.min(2 * errand.waitMs, parameters.noticeWaitMsMax);
    errand.dueMs = performance.now() + errand.waitMs * (0.75 + Math.random() / 2);
    if (within.length > 0) await run(key, errand, within);
  }

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(parameters.noticeLookMs, undefined, { signal: ending.signal }).catch(() => undefined);
      for (const [key, errand] of errands) {
        if (ending.signal.aborted || errand.dueMs > performance.now()) continue;
        await tryAgain(key, errand).catch((error: unknown) => {
          log.error('a notice could not be told', { notice: key, code: codeOf(error) });
        });
      }
    }
  }

  function resume(key: string): Errand | undefined {
    const errand = errands.get(key) ?? readErrand(store, key);
    if (!errand) return undefined;
    errand.dueMs = Math.min(errand.dueMs, performance.now() + errand.waitMs);
    errands.set(key, errand);
    return errand;
  }

  const looping = loop();
  return {
    note: (notice, nodeIds, untilMs) => {
      // told by nobody until it is on the disk
      const dueMs = Number.POSITIVE_INFINITY;
      const waitMs = parameters.noticeWaitMsMin;
      const before = notice.name === 'update' ? errands.get(storeKeyOf(notice))?.nodeIds : undefined;
      const told = new Set([...nodeIds, ...(before ?? [])]);
      errands.set(storeKeyOf(notice), { notice, nodeIds: told, untilMs, dueMs, waitMs });
      return changeFor(notice, told, untilMs);
    },
    tell: async notice => {
      const key = storeKeyOf(notice);
      const errand = resume(key);
      return errand ? run(key, errand, [...errand.nodeIds]) : new Map();
    },
    settle: async (notice, nodeIds) => {
      const key = storeKeyOf(notice);
      const errand = resume(key);
      if (!errand) return;
      for (const nodeId of errand.nodeIds) if (!nodeIds.includes(nodeId)) errand.nodeIds.delete(nodeId);
      if (errand.nodeIds.size === 0) errands.delete(key);
      await store.batch([changeFor(notice, errand.nodeIds, errand.untilMs)]);
    },
    close: async () => {
      ending.abort(new SkerryError('SHUTTING_DOWN'));
      await looping;
    },
  };
}
