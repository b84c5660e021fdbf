import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, SkerryError } from '@skerry/base';
import { parameters } from '../parameters.ts';
import type { CustodyService } from './custody-service.ts';

/**
 * Publishes what is held here, once the node had time to find its place; and again and again, meanwhile too, drops what
 * is over its time and has shares made again that were moved here: with many keys and slow answers the first takes
 * hours, in which lapsed offers would fill the node.
 *
 * @param times in ms
 * @returns how to stop; it waits for no more than the look-up under way
 */
export function startUpkeep(
  custody: Pick<CustodyService, 'expire' | 'publishAll' | 'succeed'>,
  log: Log,
  times: Readonly<Record<'restartPublishMs' | 'expireLookMs' | 'successionLookMs', number>> = parameters,
): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const wait = async (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);

  async function publish(): Promise<void> {
    await wait(times.restartPublishMs);
    await custody.publishAll(signal);
  }

  async function expire(): Promise<void> {
    while (!signal.aborted) {
      await wait(times.expireLookMs);
      await custody.expire(signal);
    }
  }

  async function succeed(): Promise<void> {
    while (!signal.aborted) {
      await wait(times.successionLookMs);
      if (!signal.aborted) await custody.succeed(signal);
    }
  }

  const working = [publish(), expire(), succeed()].map(async work =>
    work.catch((error: unknown) => log.error('upkeep ended', { reason: String(error) })),
  );
  return async () => {
    ending.abort(new SkerryError('SHUTTING_DOWN'));
    await Promise.all(working);
  };
}
