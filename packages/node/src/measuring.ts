import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, SkerryError } from '@skerry/base';
import { directoryTotalMax } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { ask, codeOf } from './asking.ts';
import type { Host } from './host.ts';
import type { PeerStreams } from './streams.ts';

type MeasuringOptions = {
  readonly host: Pick<Host, 'connectedNodes'>;
  readonly streams: Pick<PeerStreams, 'request' | 'roundTripSamples'>;
  readonly log: Log;
};

/**
 * Asks neighbours for an empty page of their directory, `parameters.roundTripSamplesMin` times in each half of
 * `parameters.leastRoundTripMs`, so that there is a least round trip to each though nothing else is asked of it. Each
 * time it waits twice as long as before, since one moment in which a machine is busy spoils all that is measured in it.
 *
 * libp2p's own pings are of no use for that: they are timed by a clock that jumps when it is set, and in whole
 * milliseconds, and so may seem shorter than light allows.
 *
 * @returns how to stop; it resolves when nothing of it runs
 */
export function startMeasuring({ host, streams, log }: MeasuringOptions): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  /** When each neighbour may be measured again, and how long after that, ms on the monotonic clock. */
  const next = new Map<string, { readonly dueMs: number; readonly waitMs: number }>();

  async function measure({ nodeId, samples }: { nodeId: string; samples: number }): Promise<void> {
    const waitMs = 2 * (samples === 0 ? parameters.measureLookMs : (next.get(nodeId)?.waitMs ?? 0));
    next.set(nodeId, { dueMs: performance.now() + waitMs, waitMs });
    try {
      const options = { deadlineMs: parameters.measureDeadlineMs, signal };
      await ask(streams, nodeId, 'directory', { offset: directoryTotalMax }, options);
    } catch (error) {
      if (!signal.aborted) log.debug('a round trip was not measured', { nodeId, code: codeOf(error) });
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      const connected = host.connectedNodes();
      const isDue = ({ nodeId, samples }: { nodeId: string; samples: number }): boolean =>
        samples === 0 || (next.get(nodeId)?.dueMs ?? 0) <= performance.now();
      const wanting = connected
        .map(nodeId => ({ nodeId, samples: streams.roundTripSamples(nodeId) }))
        .filter(one => one.samples < parameters.roundTripSamplesMin && isDue(one))
        .sort((a, b) => a.samples - b.samples || Math.random() - 0.5);
      await Promise.all(wanting.slice(0, parameters.measuredAtOnce).map(measure));
      for (const nodeId of next.keys()) if (!connected.includes(nodeId)) next.delete(nodeId);
      await sleep(parameters.measureLookMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const looping = loop();
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await looping;
  };
}
