import { type Candidate, planPlacement } from '@skerry/placement';
import { type Case, compare, type Effort } from './case.ts';

const size = 10_000;

/** Numbers 0..1, the same in each run: the golden ratio's multiples, modulo 1. */
function evenly(index: number, offset: number): number {
  return ((index + offset) * 0.618_033_988_749_895) % 1;
}

/** A network: 22 regions, 500 operators, trust and availability from doubtful to full. */
function makeNetwork(): Candidate[] {
  return Array.from({ length: size }, (_, index) => {
    const region = index % 22;
    return {
      nodeId: `node-${index}`,
      place: {
        name: `place ${index}`,
        lat: evenly(index, 0.1) * 140 - 70,
        lon: ((region + evenly(index, 0.7)) / 22) * 360 - 180,
        country: 'XX',
        region: `region ${region}`,
      },
      operator: `operator ${Math.floor(evenly(index, 0.3) * 500)}`,
      trust: evenly(index * 7, 0.5),
      availability: 0.9 + evenly(index * 13, 0.2) / 10,
    };
  });
}

/**
 * How long the placement of one key takes on a network of 10^4 nodes, certificate included.
 *
 * @param options.quick fewer runs
 */
export function placementCases({ quick }: Effort): Case[] {
  const candidates = makeNetwork();
  return (['low', 'high'] as const).map(risk => {
    const times: number[] = [];
    for (let run = -1; run < (quick ? 3 : 11); run++) {
      const begun = performance.now();
      planPlacement({ candidates, risk, profile: 'open', acceptReduced: false });
      if (run >= 0) times.push(performance.now() - begun);
    }
    return compare(`placement/plan ${risk}, ${size} nodes`, 'ms', times, null, null);
  });
}
