import { toHex } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  type InspectionEffect,
  type InspectionEvent,
  type RoundObservation,
  startInspection,
  startJudgement,
  stepInspection,
  type WrongSet,
  wipeWrongSet,
} from '@skerry/custody';
import { type Manifest, nodeIdOf, seatsOf } from '@skerry/wire';
import { codeOf } from './asking.ts';
import { inspectPoint } from './opening.ts';
import { ownGrantLifeMs } from './own-grants.ts';
import type { OwnerKeys, OwnershipOptions } from './owner-keys.ts';

const terms = { lifeMs: ownGrantLifeMs, uses: null, op: 'inspect' } as const;

/** What inspections need of their node. */
export type InspectingOptions = Pick<OwnershipOptions, 'nodeKey' | 'nodeSeed' | 'clock'> & {
  readonly network: Pick<OwnershipOptions['network'], 'evidence'> & {
    readonly streams: Pick<OwnershipOptions['network']['streams'], 'request' | 'isAlive' | 'roundTripMs'>;
  };
};

/** What an inspection found. */
export type Inspected = {
  /** Points whose holders answered a round with a wrong part. */
  readonly liars: ReadonlySet<number>;
  /** What else was seen of whom. */
  readonly observations: readonly RoundObservation[];
};

/** Who of an owner's holders answers rounds wrongly. */
export type Inspecting = {
  /**
   * Inspects a key, the holder of a point first; finds nothing where too few answer. A key that has a delay is not
   * inspected: its holders would announce a grant each time.
   */
  readonly inspect: (manifest: Manifest, subject: number) => Promise<Inspected>;
  /**
   * Looks into a set whose sum was wrong in an open, and notes who lied in it; one at a time of a key, and none with a
   * member that was caught already, so that opens bring on no more than they have to. The set is wiped.
   */
  readonly judge: (manifest: Manifest, wrong: WrongSet) => Promise<void>;
};

/** Points whose holders this node has caught. */
function unfitIn(evidence: InspectingOptions['network']['evidence'], manifest: Manifest): Set<number> {
  const caught = seatsOf(manifest).filter(seat => {
    return (evidence.of(nodeIdOf(seat.nodeKey))?.cheatedAtMs ?? null) !== null;
  });
  return new Set(caught.map(({ x }) => x));
}

/** Inspects keys of an owner (docs/PROTOCOL.md, inspections). */
export function createInspecting(
  { network, nodeKey, nodeSeed, clock }: InspectingOptions,
  keys: {
    readonly issueFor: (...given: Parameters<OwnerKeys['issueFor']>) => Promise<{ token: Uint8Array }>;
  },
): Inspecting {
  const { streams, evidence } = network;
  const self = nodeIdOf(nodeKey);
  /** Keys of which a set is looked into, by their ids. */
  const underWay = new Set<string>();

  /** Carries one round of it; what goes wrong shows as much as what does not. */
  async function inspect(
    manifest: Manifest,
    { x, asked }: Extract<InspectionEffect, { type: 'inspect' }>,
  ): Promise<InspectionEvent> {
    let observations: readonly RoundObservation[] = [];
    const onObserved = (seen: readonly RoundObservation[]): void => void (observations = seen);
    const seats = new Map(seatsOf(manifest).map(seat => [seat.x, nodeIdOf(seat.nodeKey)]));
    const holders = asked.map(point => ({ x: point, nodeId: seats.get(point)!, label: seats.get(point)! }));
    const options = { streams, nodeKey, confirmationSeed: nodeSeed, clock, random: nodeRandom, onObserved };
    try {
      const { token: grant } = await keys.issueFor(manifest, self, terms);
      return await inspectPoint(options, { manifest, x, grant, holders });
    } catch (error) {
      codeOf(error); // a bug is thrown on
      return { type: 'failed', observations };
    }
  }

  async function carry(
    manifest: Manifest,
    { state, effect }: ReturnType<typeof startInspection>,
  ): Promise<Inspected> {
    while (effect.type === 'inspect') {
      ({ state, effect } = stepInspection(nodeCrypto, state, await inspect(manifest, effect)));
    }
    return effect;
  }

  const isDelayed = ({ core }: Manifest): boolean => core.policy.delayMs > 0;
  return {
    inspect: async (manifest, subject) => {
      if (isDelayed(manifest)) return { liars: new Set(), observations: [] };
      return carry(manifest, startInspection(nodeRandom, manifest, subject, unfitIn(evidence, manifest)));
    },
    judge: async (manifest, wrong) => {
      const name = toHex(manifest.core.keyId);
      const unfit = unfitIn(evidence, manifest);
      const isExplained = wrong.request.set.some(x => unfit.has(x));
      if (isDelayed(manifest) || isExplained || underWay.has(name)) return wipeWrongSet(wrong);
      underWay.add(name);
      try {
        const { liars } = await carry(manifest, startJudgement(manifest, wrong, unfit));
        for (const { x, nodeKey: node } of seatsOf(manifest)) {
          if (liars.has(x)) evidence.note(nodeIdOf(node), 'proof-wrong');
        }
      } finally {
        underWay.delete(name);
      }
    },
  };
}
