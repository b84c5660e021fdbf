/** One operator brings many new nodes that behave and praise each other: how far that gets them. */

import { SkerryError } from '@skerry/base';
import { type Candidate, planPlacement, regionOf } from '@skerry/placement';
import { auditPeriodMs, trustGoals } from '@skerry/trust';
import { beginningMs, promises, sybils } from '../parameters.ts';
import type { Chance } from './chance.ts';
import { createView, type Mind, type View } from './mind.ts';
import { createInhabitants, dealKeys } from './population.ts';
import type { Rules } from './rules.ts';
import type { Findings, Row } from './scenario.ts';
import { runSociety, type Society } from './society.ts';
import { meanOf, mostOf, rounded } from './statistics.ts';

/** What comes of the sybils: a row for each period, and how many shares of a key a node would give them. */
type SybilFigures = {
  readonly rows: readonly Row[];
  readonly shares: readonly Row[];
};

const isSybil = ({ self }: Mind): boolean => self.behaviour === 'sybil';

/** What one resident thinks of one sybil, by all words, by its own evidence alone, and what that one's word weighs. */
type Opinion = { readonly trust: number; readonly own: number; readonly weight: number };

function opinionOf(view: View, resident: Mind, sybil: Mind, sybilIds: ReadonlySet<string>): Opinion | null {
  const { nodeId } = sybil.self;
  const trustBy = (isHeeded: (reporter: string) => boolean) =>
    view.verdictOn(resident, nodeId, isHeeded)?.assessment.trust;
  const [trust, own, honest] = [
    trustBy(() => true),
    trustBy(() => false),
    trustBy(one => !sybilIds.has(one)),
  ];
  if (trust === undefined || own === undefined || honest !== trust) return null;
  return { trust, own, weight: view.weightOf(resident, nodeId) };
}

function lookAt({ minds }: Society, view: View, sincePeriods: number, findings: Findings): Row {
  const [newcomers, residents] = [minds.filter(isSybil), minds.filter(mind => !isSybil(mind))];
  const sybilIds = new Set(newcomers.map(({ self }) => self.nodeId));
  const opinions = residents.flatMap(resident =>
    newcomers.flatMap(sybil => {
      const who = `${sybil.self.nodeId} as ${resident.self.nodeId} sees it, ${sincePeriods} periods old`;
      const opinion = opinionOf(view, resident, sybil, sybilIds);
      findings.check(
        'sybil-word-counted',
        opinion !== null,
        () => `${who}: others of its operator speak for it`,
      );
      if (opinion === null) return [];
      const { own, weight } = opinion;
      const isEarly = sincePeriods < promises.ownRisePeriods;
      findings.check('sybil-too-soon', !isEarly || own < trustGoals.high, () => `${who}: ${own}`);
      const isStranger = !resident.seen.has(sybil.self.nodeId);
      findings.check(
        'newcomer-weighs',
        !isStranger || weight === 0,
        () => `${who}: its word weighs ${weight}`,
      );
      return opinion;
    }),
  );
  const all = opinions.map(({ trust }) => trust);
  return {
    period: sincePeriods,
    trustMean: rounded(meanOf(all)),
    trustMost: rounded(mostOf(all)),
    trustMostByOwn: rounded(mostOf(opinions.map(({ own }) => own))),
    weightMost: rounded(mostOf(opinions.map(({ weight }) => weight))),
    partAtHigh: rounded(meanOf(all.map(trust => Number(trust >= trustGoals.high)))),
  };
}

/** Shares of one key of each risk that a resident would give to sybils, were it dealt now. */
function sharesAt({ minds }: Society, view: View, findings: Findings): Row[] {
  const owner = minds.find(mind => !isSybil(mind));
  if (owner === undefined) return [];
  const candidates = minds.flatMap((subject): Candidate[] => {
    const { nodeId, operator, city } = subject.self;
    const verdict = subject === owner ? undefined : view.verdictOn(owner, nodeId);
    if (verdict === undefined) return [];
    const { trust, availability } = verdict.assessment;
    return [{ nodeId, operator, place: { ...city, region: regionOf(city.country) }, trust, availability }];
  });
  const sybilIds = new Set(minds.filter(isSybil).map(({ self }) => self.nodeId));
  return (['low', 'medium', 'high'] as const).map(risk => {
    try {
      const { k, holders } = planPlacement({ candidates, risk, profile: 'open', acceptReduced: true });
      const held = holders.filter(({ nodeId }) => sybilIds.has(nodeId)).length;
      findings.check('sybil-holds-high', risk !== 'high' || held === 0, () => `${held} of ${k} shares`);
      return { risk, shares: k, ofSybils: held };
    } catch (error) {
      if (!(error instanceof SkerryError) || error.kind !== 'refused') throw error;
      return { risk, shares: null, ofSybils: null };
    }
  });
}

/** Residents audit each other for some periods; then the sybils come. */
export function runSybils(
  chance: Chance,
  sybilCount: number,
  rules: Rules,
  findings: Findings,
): SybilFigures {
  const { residentCount, residentKeyCount, alonePeriods, keyCount, looksAtPeriods } = sybils;
  const comeAtMs = beginningMs + alonePeriods * auditPeriodMs;
  const residents = createInhabitants(chance, {
    name: 'node',
    count: residentCount,
    operatorOf: index => `operator-${index}`,
    behaviourOf: () => 'good',
    turnsAtMs: beginningMs,
  });
  const newcomers = createInhabitants(chance, {
    name: 'sybil',
    count: sybilCount,
    operatorOf: () => 'operator-of-many',
    behaviourOf: () => 'sybil',
    joinsAtMs: comeAtMs,
    turnsAtMs: comeAtMs,
  });
  const people = [...residents, ...newcomers];
  const rows: Row[] = [];
  const shares: Row[] = [];
  runSociety({
    chance,
    people,
    keys: [
      ...dealKeys(chance, residents, { name: 'old', count: residentKeyCount, dealtAtMs: beginningMs }),
      ...dealKeys(chance, people, { name: 'young', count: keyCount, dealtAtMs: comeAtMs }),
    ],
    rules,
    looksAtPeriods: looksAtPeriods.map(periods => alonePeriods + periods),
    onLook: (society, atPeriods) => {
      const view = createView(society, rules, true);
      const sincePeriods = atPeriods - alonePeriods;
      rows.push(lookAt(society, view, sincePeriods, findings));
      if (sincePeriods === 1) shares.push(...sharesAt(society, view, findings));
    },
  });
  return { rows, shares };
}
