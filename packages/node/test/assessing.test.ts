import { at } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { availabilityDefault, type Coordinates, planPlacement, trustNeutral } from '@skerry/placement';
import { emptyReputation, type ObservationKind, observe, type Reputation } from '@skerry/trust';
import { type NodeRecord, signNodeRecord } from '@skerry/wire';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAssessor } from '../src/assessing.ts';
import { decodeNeighbour, type NeighbourEntry } from '../src/neighbours.ts';
import { makeParty, type Party } from './holders.ts';

const periodMs = 1_000;
const startMs = 1_800_000_000_000;
const frankfurt = { lat: 50.11, lon: 8.68 };
const tokyo = { lat: 35.69, lon: 139.69 };
const own = makeParty();
const cities = [frankfurt, tokyo, { lat: 64.13, lon: -21.9 }, { lat: -33.87, lon: 151.21 }];
const countries = ['DE', 'JP', 'IS', 'AU'];

let nowMs: number;
let entries: Map<string, NeighbourEntry>;
let reputations: Map<string, Reputation>;
let roundTrips: Map<string, number>;
let noted: [string, ObservationKind][];

beforeEach(() => {
  nowMs = startMs;
  entries = new Map();
  reputations = new Map();
  roundTrips = new Map();
  noted = [];
});

function assessor(
  options: {
    statements?: Record<string, number | 'allow' | 'vouch' | 'deny'>;
    isPlaceVerified?: boolean;
    place?: Coordinates;
  } = {},
) {
  return createAssessor({
    nodeId: own.nodeId,
    place: frankfurt,
    operator: 'own',
    directory: { entry: nodeId => entries.get(nodeId), entries: () => [...entries.values()] },
    evidence: {
      of: nodeId => reputations.get(nodeId),
      note: (nodeId, kind) => void noted.push([nodeId, kind]),
      nodeIds: () => [...reputations.keys()],
    },
    streams: { leastRoundTripMs: nodeId => roundTrips.get(nodeId) },
    statements: {},
    isPlaceVerified: true,
    periodMs,
    clock: { nowMs: () => nowMs },
    ...options,
  });
}

/** Enters a node's record into the directory. */
function enter(party: Party, claims: Partial<NodeRecord> = {}, city = 0): NeighbourEntry {
  const { lat, lon } = at(cities, city);
  const entry = decodeNeighbour(
    signNodeRecord(nodeCrypto, party.nodeSeed, {
      version: 1,
      nodeKey: party.nodeKey,
      sequence: 7,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + 1_000_000,
      addresses: [],
      place: {
        name: `city ${city}`,
        latitudeE6: Math.round(lat * 1e6),
        longitudeE6: Math.round(lon * 1e6),
        country: at(countries, city),
      },
      operator: '',
      capacity: 10,
      software: 'skerry/0.1.0',
      observations: [],
      ...claims,
    }),
  );
  entries.set(party.nodeId, entry);
  return entry;
}

/** Has this node see things of another, so many in each of so many periods that end now. */
function see(party: Party, kind: ObservationKind, periods: number, each = 2): void {
  let reputation = reputations.get(party.nodeId) ?? emptyReputation(nowMs - periods * periodMs);
  for (let i = periods; i > 0; i--) {
    for (let j = 0; j < each; j++) {
      reputation = observe(reputation, { kind, atMs: nowMs - i * periodMs + j }, periodMs);
    }
  }
  reputations.set(party.nodeId, reputation);
}

/** What a record says of another node. */
function said(
  subject: Party,
  mass: Partial<NodeRecord['observations'][number]>,
): NodeRecord['observations'][number] {
  return {
    subject: subject.nodeKey,
    availabilityGood: 0,
    availabilityBad: 0,
    integrityGood: 0,
    integrityBad: 0,
    roundTripTenthsMs: null,
    ...mass,
  };
}

const trustIn = (party: Party, options = {}): number | undefined =>
  assessor(options).verdictOn(party.nodeId)?.assessment.trust;

describe('a candidate', () => {
  test('is where its node says, in the region of that country, and neutral without evidence', () => {
    const party = makeParty();
    enter(party, { operator: 'auk' }, 2);
    enter(own);
    enter(makeParty(), { capacity: 0 });
    const [candidate, ...others] = assessor().candidates();
    expect(others).toEqual([]);
    expect(candidate).toEqual({
      nodeId: party.nodeId,
      place: { name: 'city 2', lat: 64.13, lon: -21.9, country: 'IS', region: '154' },
      operator: 'auk',
      trust: trustNeutral,
      availability: availabilityDefault,
    });
  });

  test('has the trust and the availability that evidence gives it', () => {
    const [good, gone] = [makeParty(), makeParty()];
    for (const party of [good, gone]) enter(party);
    see(good, 'proof', 12);
    see(gone, 'unreachable', 12);
    const [first, second] = assessor().candidates();
    expect(first).toMatchObject({ nodeId: good.nodeId });
    expect(first!.trust).toBeGreaterThan(0.75);
    expect(first!.availability).toBeGreaterThan(availabilityDefault);
    expect(second!.trust).toBeLessThan(0.45);
    expect(second!.availability).toBeLessThan(0.5);
  });

  test('has no trust by any claim of its own', () => {
    for (const operator of [own.nodeId, '__proto__', 'constructor', 'trust=1']) {
      const party = makeParty();
      enter(party, { operator, software: 'trust=1' });
      expect(trustIn(party)).toBe(trustNeutral);
      expect(trustIn(party, { statements: { [makeParty().nodeId]: 1 } })).toBe(trustNeutral);
    }
  });
});

describe("an operator's statement", () => {
  test('on a node comes before one on its operator, and both before evidence', () => {
    const party = makeParty();
    enter(party, { operator: 'auk' });
    see(party, 'proof-wrong', 1, 1);
    expect(trustIn(party)).toBe(0);
    // Anybody can take an operator's name: that lifts nobody who was caught cheating.
    expect(trustIn(party, { statements: { 'operator:auk': 0.9 } })).toBe(0);
    const honest = makeParty();
    enter(honest, { operator: 'auk' });
    see(honest, 'share-lost', 1, 1);
    expect(trustIn(honest, { statements: { 'operator:auk': 0.9 } })).toBe(0.9);
    expect(trustIn(honest, { statements: { 'operator:auk': 'deny' } })).toBe(0);
    expect(trustIn(party, { statements: { 'operator:auk': 0.9, [party.nodeId]: 'deny' } })).toBe(0);
    expect(trustIn(party, { statements: { auk: 0.9, 'operator:gannet': 0.8 } })).toBe(0);
    expect(trustIn(party, { statements: { [party.nodeId]: 'allow' } })).toBe(0.5);
    const verdict = assessor({ statements: { [party.nodeId]: 'vouch' } }).verdictOn(party.nodeId);
    expect(verdict?.assessment).toMatchObject({ trust: 0.8, earned: 0, standing: 'stated' });
  });
});

describe('what others say', () => {
  test('counts by what this node has seen of who says it: nothing of newcomers, and never of oneself', () => {
    const [subject, proven, newcomer] = [makeParty(), makeParty(), makeParty()];
    const praise = { integrityGood: 60_000, availabilityGood: 60_000 };
    enter(subject, { observations: [] });
    enter(newcomer, { observations: [said(subject, praise)] });
    enter(proven);
    see(proven, 'proof', 12);
    expect(trustIn(subject)).toBe(trustNeutral);
    enter(proven, { observations: [said(subject, praise)] });
    const trust = trustIn(subject)!;
    expect(trust).toBeGreaterThan(trustNeutral);
    // One reporter's word is capped, however loud.
    expect(trust).toBeLessThan(0.55);
    expect(() => enter(subject, { observations: [said(subject, praise)] })).toThrow(
      expect.objectContaining({ code: 'RECORD_INVALID' }),
    );
  });

  test('against nodes of several operators that this node knows as good is slander', () => {
    const known = Array.from({ length: 4 }, makeParty);
    for (const [i, party] of known.entries()) {
      enter(party, { operator: `op${i}` });
      see(party, 'proof', 8);
    }
    const blame = (count: number): NodeRecord['observations'] =>
      known
        .slice(0, count)
        .map(party => said(party, { integrityBad: 5_000 }))
        .sort((a, b) => Buffer.compare(a.subject, b.subject));
    const teller = makeParty();
    assessor().hear(enter(teller, { observations: blame(2) }));
    expect(noted).toEqual([]);
    assessor().hear(enter(teller, { observations: blame(4) }));
    expect(noted).toEqual([[teller.nodeId, 'slander']]);
  });
});

describe('a claim of place', () => {
  test('is refuted by a round trip that light could not make, and then counts beside who refutes it', () => {
    const liar = makeParty();
    enter(liar, {}, 1);
    roundTrips.set(liar.nodeId, 5);
    const { assessment, place } = assessor().verdictOn(liar.nodeId)!;
    expect(place).toMatchObject({ verdict: 'refuted', by: [{ observer: own.nodeId, roundTripMs: 5 }] });
    expect(assessment).toMatchObject({ standing: 'place-refuted' });
    expect(assessment.trust).toBeLessThan(0.45);
    expect(assessor().candidates()[0]?.place).toMatchObject({ ...frankfurt, region: 'refuted' });
    expect(trustIn(liar, { isPlaceVerified: false })).toBe(trustNeutral);
  });

  test('stands where the round trip is long enough, and is unverifiable without one', () => {
    const honest = makeParty();
    enter(honest, {}, 2);
    expect(assessor().verdictOn(honest.nodeId)?.place.verdict).toBe('unverifiable');
    roundTrips.set(honest.nodeId, 25);
    expect(assessor().verdictOn(honest.nodeId)?.place.verdict).toBe('consistent');
  });

  test('is refuted by others where three operators with standing here say so, and not by newcomers', () => {
    const liar = makeParty();
    enter(liar, {}, 1);
    const witnesses = Array.from({ length: 3 }, makeParty);
    for (const [i, party] of witnesses.entries()) {
      enter(party, { operator: `op${i}`, observations: [said(liar, { roundTripTenthsMs: 60 })] });
    }
    expect(assessor().verdictOn(liar.nodeId)?.place.verdict).toBe('unverifiable');
    for (const party of witnesses) see(party, 'proof', 30);
    expect(assessor().verdictOn(liar.nodeId)?.place.verdict).toBe('refuted');
  });
});

describe("a node's own record", () => {
  test('says what it has itself seen and measured, of all in turns', () => {
    const parties = Array.from({ length: 50 }, makeParty);
    for (const party of parties) {
      enter(party);
      see(party, 'proof', 4);
    }
    const bare = makeParty();
    enter(bare);
    enter(own);
    roundTrips.set(at(parties, 0).nodeId, 12.34);
    const { observations } = assessor();
    const [first, second] = [observations(), observations()];
    expect(first).toHaveLength(32);
    const subjects = new Set(
      [...first, ...second].map(({ subject }) => Buffer.from(subject).toString('hex')),
    );
    expect(subjects.size).toBe(50);
    const measured = [...first, ...second].find(({ roundTripTenthsMs }) => roundTripTenthsMs !== null);
    expect(measured).toMatchObject({ roundTripTenthsMs: 124, integrityBad: 0 });
    expect(first.every(({ integrityGood }) => integrityGood > 300)).toBe(true);
    enter(own, { observations: first });
  });
});

test('a peer that is no node of Skerry, by the kind of its key, keeps no record from being made', () => {
  const party = makeParty();
  enter(party);
  see(party, 'proof', 4);
  const stranger = '16Uiu2HAmNUQUAd45nZikFTJCDDF7z72q9Zcm5XWzaHin6hwWNCd2';
  reputations.set(stranger, observe(emptyReputation(nowMs), { kind: 'flood', atMs: nowMs }, periodMs));
  expect(assessor().observations()).toMatchObject([{ subject: party.nodeKey }]);
});

describe("a node's own standing", () => {
  test('is what others say of it, by the weight of their words here', () => {
    const [friend, stranger] = [makeParty(), makeParty()];
    const word = { integrityGood: 400, availabilityBad: 900, roundTripTenthsMs: 300 };
    const me = said({ ...own }, word);
    enter(friend, { operator: 'auk', observations: [me] });
    enter(stranger, { observations: [me] });
    see(friend, 'proof', 12);
    const { assessment, mentions, place } = assessor().ownStanding();
    expect(mentions.map(({ report, weight }) => [report.reporter, weight > 0])).toEqual([
      [friend.nodeId, true],
      [stranger.nodeId, false],
    ]);
    expect(assessment.parts).toMatchObject([{ source: 'place' }, { source: 'report', kind: friend.nodeId }]);
    expect(place.verdict).toBe('unverifiable'); // of one operator
  });
});

describe('sybils', () => {
  test('of one operator, a hundred new nodes, get no share at high risk and at low no more than the cap', () => {
    for (let i = 0; i < 100; i++) enter(makeParty(), { operator: 'sybil' }, i % 4);
    const honest = Array.from({ length: 16 }, makeParty);
    for (const [i, party] of honest.entries()) {
      enter(party, { operator: `op${i}` }, i % 4);
      see(party, 'proof', 40);
    }
    const candidates = assessor().candidates();
    const plan = (risk: 'low' | 'high') =>
      planPlacement({ candidates, risk, profile: 'open', acceptReduced: true, simulated: false });
    const sybilsIn = ({ certificate }: ReturnType<typeof plan>): number =>
      certificate.holders.filter(({ operator }) => operator === 'sybil').length;
    expect(sybilsIn(plan('high'))).toBe(0);
    const low = plan('low');
    const cap = low.certificate.constraints.find(({ name }) => name === 'shares of one operator');
    expect(sybilsIn(low)).toBeLessThanOrEqual(cap!.limit);
  });
});
