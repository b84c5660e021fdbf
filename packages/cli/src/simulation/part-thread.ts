/** A thread that runs one part of a scenario. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ScenarioOptions, scenarios } from '@skerry/simulator';

const { name, options, part } = workerData as {
  readonly name: string;
  readonly options: ScenarioOptions;
  readonly part: number;
};

parentPort?.postMessage(scenarios[name]!.runPart(options, part));
