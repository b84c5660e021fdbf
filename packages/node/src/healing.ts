import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type Log, type Random, SkerryError, toHex } from '@skerry/base';
import { parameters } from '../parameters.ts';
import { codeOf } from './asking.ts';
import type { HealthStore } from './health-store.ts';
import { createHolderHealer } from './holder-healing.ts';
import type { Keyring, OwnedKey } from './keyring.ts';
import type { Network } from './network.ts';
import { createOwnerHealer, type RepairedPoint, repairNow } from './owner-healing.ts';
import type { Ownership } from './ownership.ts';
import { createStandings, type Standing } from './standing.ts';
import type { Store } from './store.ts';

/** What healing needs of its node. */
export type HealingOptions = {
  readonly network: Pick<Network, 'assessor' | 'custody' | 'evidence' | 'streams' | 'notices'>;
  readonly store: Store;
  readonly keyring: Pick<Keyring, 'change' | 'get' | 'list'>;
  readonly ownership: Pick<Ownership, 'plan' | 'refresh' | 'move' | 'settle' | 'lookAgain' | 'ownedManifest'>;
  readonly health: HealthStore;
  readonly nodeKey: Uint8Array;
  /** How old an epoch may get, ms; 0 for any age. */
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** A holder that an audit asked in vain, since it says that the key, or its point, has gone on. */
export type Outdated = { readonly keyId: string; readonly x: number; readonly nodeId: string };

/** Heals the keys that a node owns, and those that it holds where their owners do nothing. */
export type Healing = {
  readonly standingOf: (owned: OwnedKey) => Standing;
  /** Deals a key's next epoch, as its owner asks. */
  readonly refresh: Ownership['refresh'];
  /** Moves points of a key at once (`repairNow`). */
  readonly repair: (keyId: Uint8Array, who: string | null) => Promise<RepairedPoint[]>;
  /** A holder says that this node's manifest of a key is old: it is looked for a newer one soon. */
  readonly noteOutdated: (outdated: Outdated) => void;
  /** Begins, and says how to stop. */
  readonly start: () => () => Promise<void>;
};

/** Finds out of what holders say that it has gone on; who says so of what has not, has lost its share. */
function createLookUps({ network, keyring, ownership, health }: HealingOptions) {
  const waiting = new Map<string, Outdated>();

  async function isNewer(keyId: string): Promise<boolean> {
    const owned = keyring.get(new Uint8Array(Buffer.from(keyId, 'hex')));
    if (owned?.tombstone) return true;
    if (owned) return (await ownership.lookAgain(owned.manifest)) !== undefined;
    const before = network.custody.manifestOf(keyId);
    await network.custody.catchUp(keyId);
    const after = network.custody.manifestOf(keyId);
    return before?.core.epoch !== after?.core.epoch || before?.amendments.length !== after?.amendments.length;
  }

  return {
    note: (outdated: Outdated): void => {
      if (waiting.size < parameters.outdatedKeysMax) waiting.set(outdated.keyId, outdated);
    },
    work: async (signal: AbortSignal): Promise<void> => {
      for (const [keyId, outdated] of waiting) {
        if (signal.aborted) return;
        waiting.delete(keyId);
        if (!(await isNewer(keyId))) health.note({ ...outdated, kind: 'lost' });
      }
    },
  };
}

/** Writes down that a key is exposed, before an epoch follows whose shares have not leaked. */
async function noteExposure(
  { keyring, store }: HealingOptions,
  standingOf: Healing['standingOf'],
  keyId: Uint8Array,
): Promise<void> {
  const owned = keyring.get(keyId);
  if (!owned || owned.notes.exposed || !standingOf(owned).isExposed) return;
  await store.batch([keyring.change({ ...owned, notes: { ...owned.notes, exposed: true } })]);
}

/** The healing of a node's keys (docs/PROTOCOL.md, healing). */
export function createHealing(options: HealingOptions): Healing {
  const { network, keyring, health, log } = options;
  const standingOf = createStandings(options);
  const healOwned = createOwnerHealer(options, standingOf);
  const healHeld = createHolderHealer(options);
  const lookUps = createLookUps(options);
  const warned = new Set<string>();

  /** Says once that a key is in danger, and once that it no longer is. */
  function warn({ manifest }: OwnedKey, { margin, isExposed: exposed }: Standing): void {
    const keyId = toHex(manifest.core.keyId);
    const isBad = exposed || margin.level === 'critical' || margin.level === 'lost';
    if (isBad === warned.has(keyId)) return;
    if (isBad) {
      warned.add(keyId);
      log.warn('a key is in danger', { keyId, margin: margin.margin, level: margin.level, exposed });
    } else {
      warned.delete(keyId);
      log.info('a key is out of danger', { keyId, margin: margin.margin });
    }
  }

  async function look(signal: AbortSignal): Promise<void> {
    await lookUps.work(signal);
    const owned = (await keyring.list()).filter(({ tombstone }) => tombstone === null);
    for (const key of owned) {
      warn(key, standingOf(key));
      await noteExposure(options, standingOf, key.manifest.core.keyId);
    }
    const held = health.isAllWell() ? [] : network.custody.servedKeyIds();
    const jobs = [
      ...owned.map(key => async () => healOwned(key)),
      ...held.map(keyId => async () => healHeld(keyId)),
    ];
    const work = async (): Promise<void> => {
      for (let job = jobs.shift(); job && !signal.aborted; job = jobs.shift()) await job();
    };
    await Promise.all(Array.from({ length: parameters.healsAtOnce }, work));
  }

  return {
    standingOf,
    refresh: async (keyId, wanted) => {
      await noteExposure(options, standingOf, keyId);
      return options.ownership.refresh(keyId, wanted);
    },
    repair: async (keyId, who) => repairNow(options, keyId, who),
    noteOutdated: lookUps.note,
    start: () => {
      const ending = new AbortController();
      const { signal } = ending;
      const lookMs = Math.max(parameters.healLookMsMin, health.graceMs / 32);
      const loop = async (): Promise<void> => {
        while (!signal.aborted) {
          await sleep(lookMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
          if (signal.aborted) return;
          await look(signal).catch((error: unknown) => log.error('healing failed', { code: codeOf(error) }));
        }
      };
      const looping = loop();
      return async () => {
        ending.abort(new SkerryError('SHUTTING_DOWN'));
        // what is under way is persisted, and goes on with the next start
        await Promise.race([looping, sleep(parameters.drainMs, undefined, { ref: false })]);
      };
    },
  };
}
