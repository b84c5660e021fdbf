/** Who is in a network, and which keys they hold. */
import { at } from '@skerry/base';
import type { AuditableKey } from '@skerry/custody';
import { type Coordinates, greatCircleKm } from '@skerry/placement';
import { beginningMs } from '../parameters.ts';
import type { Chance } from './chance.ts';
import { type City, cities, spotIn } from './paths.ts';

/** The ways of being bad that nodes of a network have, each on its own. */
export const faults = ['offline', 'disk-lost', 'proof-wrong', 'place-liar', 'slanderer', 'flooder'] as const;

/** How a node behaves: well, badly in one of those ways, or as one of a gang. */
type Behaviour = 'good' | (typeof faults)[number] | 'colluder' | 'sybil';

/** A node as it is, whatever it says. */
export type Inhabitant = {
  readonly nodeId: string;
  /** Who runs it, as it says; null where it does not: then it is its own. */
  readonly operator: string | null;
  readonly city: City;
  /** Where it is. */
  readonly home: Coordinates;
  /** Where it says that it is once it is bad; until then, and others always: the centre of its city. */
  readonly falseClaim: Coordinates | null;
  readonly behaviour: Behaviour;
  /** From when on it is there, ms. */
  readonly joinsAtMs: number;
  /** From when on it is bad, ms. */
  readonly turnsAtMs: number;
};

/** A key that is held in the network. */
export type HeldKey = {
  readonly keyId: string;
  readonly t: number;
  readonly ownerId: string;
  /** Nodes that store its manifest for the DHT. */
  readonly serverIds: readonly string[];
  readonly holders: AuditableKey['holders'];
  readonly dealtAtMs: number;
};

/** Whether a node is bad by now. */
export function isBad({ behaviour, turnsAtMs }: Inhabitant, nowMs: number): boolean {
  return behaviour !== 'good' && nowMs >= turnsAtMs;
}

/** Where a node says that it is. */
export function claimOf(one: Inhabitant, nowMs: number): Coordinates {
  return one.falseClaim !== null && isBad(one, nowMs) ? one.falseClaim : one.city;
}

/** Nodes in cities and under operators in turn. */
export function createInhabitants(
  chance: Chance,
  wanted: {
    readonly name: string;
    readonly count: number;
    readonly operatorOf: (index: number) => string | null;
    readonly behaviourOf: (index: number) => Behaviour;
    readonly joinsAtMs?: number;
    readonly turnsAtMs: number;
  },
): Inhabitant[] {
  const { name, count, operatorOf, behaviourOf, joinsAtMs = beginningMs, turnsAtMs } = wanted;
  return Array.from({ length: count }, (_, index) => {
    const city = at(cities, index % cities.length);
    const behaviour = behaviourOf(index);
    return {
      nodeId: `${name}-${String(index).padStart(3, '0')}`,
      operator: operatorOf(index),
      city,
      home: spotIn(city, chance),
      falseClaim: behaviour === 'place-liar' ? farthestFrom(city) : null,
      behaviour,
      joinsAtMs,
      turnsAtMs,
    };
  });
}

function farthestFrom(city: City): City {
  return cities.reduce((far, other) => (greatCircleKm(city, other) > greatCircleKm(city, far) ? other : far));
}

/** Keys at random: each owned by a node, held by 7 to 10 others, more than half of which open it, and stored by 8. */
export function dealKeys(
  chance: Chance,
  people: readonly Inhabitant[],
  wanted: { readonly name: string; readonly count: number; readonly dealtAtMs: number },
): HeldKey[] {
  const { name, count, dealtAtMs } = wanted;
  return Array.from({ length: count }, (_, index) => {
    const k = 7 + chance.below(4);
    const chosen = chance.pick(people, k + 1).map(({ nodeId }) => nodeId);
    return {
      keyId: `${name}-${String(index).padStart(4, '0')}`,
      t: Math.floor(k / 2) + 1,
      ownerId: at(chosen, 0),
      serverIds: chance.pick(people, Math.min(8, people.length)).map(({ nodeId }) => nodeId),
      holders: chosen.slice(1).map((nodeId, i) => ({ x: i + 1, nodeId })),
      dealtAtMs,
    };
  });
}

/** The keys that a node may audit by now, with the best reason for each. */
export function auditableBy(nodeId: string, keys: readonly HeldKey[], nowMs: number): AuditableKey[] {
  return keys.flatMap(({ keyId, t, ownerId, serverIds, holders, dealtAtMs }) => {
    if (dealtAtMs > nowMs) return [];
    const holds = holders.some(holder => holder.nodeId === nodeId);
    const why =
      ownerId === nodeId ? 'owner' : holds ? 'holder' : serverIds.includes(nodeId) ? 'server' : null;
    return why === null ? [] : [{ keyId, t, why, holders }];
  });
}
