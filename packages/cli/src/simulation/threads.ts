import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ScenarioOptions, type ScenarioReport, scenarios } from '@skerry/simulator';

/** Megabytes of a thread's young objects, and of all: a part of a large scenario holds hundreds of megabytes. */
const limits = { maxYoungGenerationSizeMb: 64, maxOldGenerationSizeMb: 4096 } as const;

async function runPart(name: string, options: ScenarioOptions, part: number): Promise<unknown> {
  const worker = new Worker(new URL('./part-thread.ts', import.meta.url), {
    workerData: { name, options, part },
    resourceLimits: limits,
  });
  const [done] = (await once(worker, 'message')) as [unknown];
  await worker.terminate();
  return done;
}

/**
 * Runs a scenario, its parts in as many threads as there are cores. The report is the same as of one thread.
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
  let [next, done] = [0, 0];
  const work = async (): Promise<void> => {
    while (next < count) {
      const part = next++;
      parts[part] = await runPart(name, options, part);
      onPart(++done, count);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  return scenario.report(options, parts);
}
