import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ScenarioOptions, type ScenarioReport, scenarios } from '@skerry/simulator';

/** Megabytes of a thread's young objects, and of all: a part of a large scenario holds hundreds of megabytes. */
const limits = { maxYoungGenerationSizeMb: 64, maxOldGenerationSizeMb: 4096 } as const;

/** Threads at a time, at most: a part of a year of 10,000 nodes takes over a gigabyte, and all are to take under four. */
const threadsMax = 3;

/**
 * Runs a scenario, its parts in a few threads. The report is the same as of one thread.
 *
 * @param name of the scenario, which there is
 * @param options as the scenario's limits allow
 * @param onPart told when a part has ended
 */
export async function runInThreads(
  name: string,
  options: ScenarioOptions,
  onPart: (done: number, parts: number) => void,
): Promise<ScenarioReport> {
  const scenario = scenarios[name]!;
  const count = scenario.parts(options);
  const parts: unknown[] = [];
  const workers = new Set<Worker>();
  let [next, done] = [0, 0];
  const work = async (): Promise<void> => {
    while (next < count) {
      const part = next++;
      const worker = new Worker(new URL('./part-thread.ts', import.meta.url), {
        workerData: { name, options, part },
        resourceLimits: limits,
      });
      workers.add(worker);
      [parts[part]] = (await once(worker, 'message')) as [unknown];
      await worker.terminate();
      workers.delete(worker);
      onPart(++done, count);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(count, threadsMax, availableParallelism()) }, work));
  } finally {
    // where one fails the others have nothing to work for
    await Promise.all([...workers].map(async worker => worker.terminate()));
  }
  return scenario.report(options, parts);
}
