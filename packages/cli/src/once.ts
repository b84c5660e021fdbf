import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Risk, SkerryError } from '@skerry/base';
import type { EntropyReport } from '@skerry/entropy';
import type { Candidate, Placement } from '@skerry/placement';
import { readPieces } from '@skerry/sealing';
import type { Swarm, SwarmNode } from '@skerry/swarm';
import type { Sourced } from './configuration.ts';
import { type SealResult, sealFile, type UnsealResult, unsealFile } from './file-sealing.ts';

/** What the main job tells while it goes on. */
export type OnceObserver = {
  readonly measured: (
    report: EntropyReport,
    placement: Placement,
    candidates: readonly Candidate[],
  ) => Promise<void>;
  readonly sealed: (result: SealResult, sealMs: number) => Promise<void>;
  readonly stopped: (nodes: readonly SwarmNode[]) => Promise<void>;
};

/** What is asked of the main job. */
type OnceRequest = {
  readonly path: string;
  readonly window: number;
  readonly riskMinimum: Sourced<Risk>;
  readonly riskDefault: Risk;
  readonly acceptReduced: boolean;
  /** Directory for the sealed file and the opened one. */
  readonly workspace: string;
};

/** What the main job did. */
export type OnceResult = {
  readonly sealed: SealResult;
  readonly sealMs: number;
  /** Holders that were stopped: k - t of them. */
  readonly stopped: readonly SwarmNode[];
  readonly unsealed: UnsealResult;
  readonly openMs: number;
  readonly sealedPath: string;
  readonly openedPath: string;
};

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of readPieces(path)) hash.update(piece);
  return hash.digest('hex');
}

/** The nodes of the swarm that hold the last k - t points, the dealer never among them. */
function holdersToStop(swarm: Swarm, { holders, k, t }: Placement): SwarmNode[] {
  const ids = new Set(holders.slice(0, k - t).map(({ nodeId }) => nodeId));
  return swarm.nodes.filter(({ nodeId }) => ids.has(nodeId));
}

/**
 * The main job: measures and seals a file, stops as many holders as the key survives, the preferred ones first, opens
 * the file and compares it with the original, byte for byte.
 *
 * @param swarm running; its first node is the owner
 * @throws KEY_CORRUPT where the opened file differs: it cannot, short of a bug; else what seal and open throw
 */
export async function runOnce(
  swarm: Swarm,
  request: OnceRequest,
  observer: OnceObserver,
): Promise<OnceResult> {
  const { path, window, riskMinimum, riskDefault, acceptReduced, workspace } = request;
  const owner = swarm.nodes[0];
  if (!owner) throw new SkerryError('CONFIG_INVALID', 'a swarm has nodes');
  const keys = owner.peer();
  const sealedPath = join(workspace, 'once.sealed');
  const openedPath = join(workspace, 'once.opened');
  const known = await stat(path).catch((cause: unknown) => {
    throw new SkerryError('FILE_UNREADABLE', `cannot read ${path}`, { path }, cause);
  });
  if (!known.isFile()) throw new SkerryError('FILE_UNREADABLE', `${path} is not a regular file`, { path });

  const startedMs = performance.now();
  const sealed = await sealFile(keys, {
    source: readPieces(path),
    inputPath: path,
    output: sealedPath,
    recipients: [],
    meterOptions: { window, riskDefault },
    riskMinimum,
    acceptReduced,
    onMeasured: async (report, risk) =>
      observer.measured(report, keys.plan({ risk, acceptReduced }), keys.candidates()),
  });
  const sealMs = performance.now() - startedMs;
  await observer.sealed(sealed, sealMs);

  const stopped = holdersToStop(swarm, sealed.placement);
  await Promise.all(stopped.map(async ({ index }) => swarm.crash(index)));
  await observer.stopped(stopped);

  const openingMs = performance.now();
  const unsealed = await unsealFile(keys, sealedPath, openedPath);
  const openMs = performance.now() - openingMs;
  if ((await digestOf(path)) !== (await digestOf(openedPath))) {
    throw new SkerryError('KEY_CORRUPT', 'the opened file differs from the original');
  }
  return { sealed, sealMs, stopped, unsealed, openMs, sealedPath, openedPath };
}
