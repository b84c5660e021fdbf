import { setTimeout as sleep } from 'node:timers/promises';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Log, SkerryError } from '@skerry/base';
import { parameters, type Scale, scales } from '../parameters.ts';
import { nodeIdIn, peerIdOf } from './address-book.ts';
import type { NodeLibp2p } from './node-libp2p.ts';

/** Keeps connections up: to every bootstrap peer for ever, and to known peers up to a number. */
export type ConnectionKeeper = {
  /** A node whose addresses are known may be dialled while there are few connections. */
  readonly want: (nodeId: string) => void;
  /** Ends all dialling. */
  readonly close: () => Promise<void>;
};

type Target = {
  /** Its node id, or the bootstrap address as configured. */
  readonly name: string;
  /** The node id reached. */
  readonly dial: (signal: AbortSignal) => Promise<string>;
  /** Known at once for a node, and for a bootstrap address without `/p2p/` from its first connection on. */
  nodeId: string | undefined;
  readonly bootstrap: boolean;
  failures: number;
  notBeforeMs: number;
};

type Options = {
  readonly libp2p: NodeLibp2p;
  readonly bootstrap: readonly Multiaddr[];
  readonly meshPeersMax: number;
  readonly scale: Scale;
  readonly log: Log;
};

/**
 * Multiaddrs from the configuration.
 *
 * @throws CONFIG_INVALID for a text that is no multiaddr
 */
export function parseAddresses(addresses: readonly string[]): Multiaddr[] {
  return addresses.map(address => {
    try {
      return multiaddr(address);
    } catch (error) {
      throw new SkerryError('CONFIG_INVALID', `not a multiaddr: ${address}`, { address }, error);
    }
  });
}

/** Starts keeping connections up; looks every `parameters.keeperIntervalMs` who is missing. */
export function createConnectionKeeper(options: Options): ConnectionKeeper {
  const { libp2p } = options;
  const ending = new AbortController();
  const targets = new Map<string, Target>();
  for (const address of options.bootstrap) {
    const nodeId = nodeIdIn(address);
    if (nodeId === libp2p.peerId.toString()) continue;
    const dial = async (signal: AbortSignal) =>
      (await libp2p.dial(address, { signal })).remotePeer.toString();
    const name = address.toString();
    targets.set(name, { name, dial, nodeId, bootstrap: true, failures: 0, notBeforeMs: 0 });
  }

  function want(nodeId: string): void {
    if (targets.has(nodeId)) return;
    const peerId = peerIdOf(nodeId);
    const first = libp2p.peerId.toString() < nodeId;
    targets.set(nodeId, {
      name: nodeId,
      dial: async signal => (await libp2p.dial(peerId, { signal })).remotePeer.toString(),
      nodeId,
      bootstrap: false,
      failures: 0,
      notBeforeMs: first ? 0 : Date.now() + parameters.dialTieBreakMs,
    });
    while (targets.size > parameters.keeperTargetsMax) forgetOne(targets);
  }

  const running = keepUp(targets, options, ending.signal);
  return {
    want,
    close: async () => {
      ending.abort();
      await running;
    },
  };
}

/** The oldest that is no bootstrap address goes; the directory names it again if it lives. */
function forgetOne(targets: Map<string, Target>): void {
  for (const [name, target] of targets) {
    if (!target.bootstrap) {
      targets.delete(name);
      return;
    }
  }
}

async function keepUp(
  targets: ReadonlyMap<string, Target>,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const dialling = new Map<Target, Promise<void>>();
  while (!signal.aborted) {
    for (const target of missing(targets, options)) {
      if (dialling.size >= parameters.dialsMax) break;
      if (dialling.has(target)) continue;
      dialling.set(
        target,
        dialOnce(target, options, signal).finally(() => dialling.delete(target)),
      );
    }
    await sleep(parameters.keeperIntervalMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
  await Promise.all(dialling.values());
}

/** Who should be dialled now: bootstrap peers first, then others while there are too few connections. */
function missing(targets: ReadonlyMap<string, Target>, { libp2p, meshPeersMax }: Options): Target[] {
  const nowMs = Date.now();
  const connected = new Set(libp2p.getPeers().map(String));
  const absent = [...targets.values()].filter(
    ({ nodeId, notBeforeMs }) => notBeforeMs <= nowMs && !(nodeId !== undefined && connected.has(nodeId)),
  );
  const others = absent.filter(({ bootstrap }) => !bootstrap);
  return [
    ...absent.filter(({ bootstrap }) => bootstrap),
    ...others.slice(0, Math.max(0, meshPeersMax - connected.size)),
  ];
}

/** Dials, and sets when to try again: doubling, with jitter so that peers that fell together don't rise together. */
async function dialOnce(target: Target, { scale, log }: Options, signal: AbortSignal): Promise<void> {
  const { dialMs, dialBackoffMsMax } = scales[scale];
  try {
    target.nodeId = await target.dial(AbortSignal.any([signal, AbortSignal.timeout(dialMs)]));
    target.failures = 0;
    target.notBeforeMs = Date.now() + parameters.dialBackoffMs;
    if (target.bootstrap) log.info('connected to a bootstrap peer', { nodeId: target.nodeId });
  } catch (error) {
    if (signal.aborted) return;
    const backoffMs = Math.min(parameters.dialBackoffMs * 2 ** target.failures, dialBackoffMsMax);
    target.failures = Math.min(target.failures + 1, 30);
    target.notBeforeMs = Date.now() + backoffMs * (0.75 + Math.random() / 2);
    const reason = error instanceof Error ? error.message : String(error);
    const { name, failures } = target;
    log.debug('could not dial a peer', { name, failures, reason });
    if (target.bootstrap && failures === parameters.bootstrapFailuresTold) {
      log.warn('a bootstrap peer does not answer; it is tried again for ever', { address: name, reason });
    }
  }
}
