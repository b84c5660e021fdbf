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
 * `parameters.leastRoundTripMs`, so that there is a least round trip to each though nothing else is asked of it.
 *
 * libp2p's own pings are of no use for that: they are timed by a clock that jumps when it is set, and in whole
 * milliseconds, and so may seem shorter than light allows.
 *
 * @returns how to stop; it resolves when nothing of it runs
 */
export function startMeasuring({ host, streams, log }: MeasuringOptions): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;

  async function measure(nodeId: string): Promise<void> {
    try {
      const options = { deadlineMs: parameters.measureDeadlineMs, signal };
      await ask(streams, nodeId, 'directory', { offset: directoryTotalMax }, options);
    } catch (error) {
      if (!signal.aborted) log.debug('a round trip was not measured', { nodeId, code: codeOf(error) });
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      const wanting = host
        .connectedNodes()
        .map(nodeId => ({ nodeId, samples: streams.roundTripSamples(nodeId) }))
        .filter(({ samples }) => samples < parameters.roundTripSamplesMin)
        .sort((a, b) => a.samples - b.samples || Math.random() - 0.5);
      await Promise.all(
        wanting.slice(0, parameters.measuredAtOnce).map(async ({ nodeId }) => measure(nodeId)),
      );
      await sleep(parameters.measureLookMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const looping = loop();
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await looping;
  };
}
