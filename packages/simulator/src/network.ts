/** Requests and answers between virtual nodes: geographic latency, loss, duplicates, reordering, partitions. */
import type { ErrorCode } from '@skerry/base';
import type { HolderRequest } from '@skerry/custody';
import {
  encodeAnswer,
  encodeRequest,
  type Manifest,
  type RequestAnswer,
  type RequestBody,
} from '@skerry/wire';
import { paths, ways } from '../parameters.ts';
import type { Chance } from './chance.ts';
import type { EventQueue } from './event-queue.ts';
import { cities, leastRoundTripMs } from './paths.ts';

/** What holders are asked. */
export type AskedName = HolderRequest['name'];

/** A node, as the network sees it. */
export type Party = {
  readonly nodeId: string;
  readonly cityIndex: number;
  isUp: boolean;
  /** How often it has begun anew: what was under way before is forgotten. */
  life: number;
};

/** What came of asking. */
export type Reply<N extends AskedName> = RequestAnswer<N> | ErrorCode;

type Ask = <N extends AskedName>(
  from: Party,
  to: Party | undefined,
  request: { readonly name: N; readonly body: RequestBody<N>; readonly deadlineMs: number },
  deliver: (answer: Reply<N>) => void,
) => void;

/** Messages and bytes so far, by the name of the request that they belong to. */
type Traffic = Map<string, { messages: number; bytes: number }>;

/** The network of a world. */
export type Network = {
  /** Asks a node: an answer comes once, or PEER_UNREACHABLE, or DEADLINE_EXCEEDED; nothing where the asker ends first. */
  readonly ask: Ask;
  /** The usual round trip between two nodes, ms. */
  readonly roundTripMs: (from: Party, to: Party) => number;
  /** The side of a partition that a node is on; 0 where there is none. */
  readonly sideOf: (party: Party) => number;
  /** Whether two nodes reach each other, if both are up. */
  readonly connects: (from: Party, to: Party) => boolean;
  readonly isCut: () => boolean;
  /** Cuts the network: nodes on different sides do not reach each other; null mends it. */
  readonly partition: (sides: ((party: Party) => number) | null) => void;
  readonly traffic: Traffic;
};

/** What answers requests: at once, by a holder's machine. */
export type Handle = <N extends AskedName>(
  to: Party,
  from: Party,
  request: { readonly name: N; readonly body: RequestBody<N> },
) => Reply<N>;

const leastMs = cities.map(from => cities.map(to => leastRoundTripMs(from, to)));

/** What decides the length of a message of a name, in a few words. */
function sizeNameOf(name: AskedName, body: unknown): string {
  const { core, amendments, activation, set } = body as Partial<
    Manifest & { readonly set: readonly number[] }
  >;
  const votes = amendments?.reduce((sum, one) => sum + one.votes.length, 0);
  const points = core?.points.length ?? activation?.receipts.length ?? set?.length;
  return `${name}/${points}/${core?.standby.length}/${amendments?.length}/${votes}`;
}

/** Counts messages, of which all of one name and size are as long as the first. */
function createCounter(traffic: Traffic) {
  const sizes = new Map<string, number>();
  return (name: AskedName, sizeName: string, encode: () => Uint8Array): void => {
    let size = sizes.get(sizeName);
    if (size === undefined) {
      size = encode().length + ways.frameBytes;
      sizes.set(sizeName, size);
    }
    const total = traffic.get(name) ?? { messages: 0, bytes: 0 };
    traffic.set(name, { messages: total.messages + 1, bytes: total.bytes + size });
  };
}

/** How long one way takes, ms: half of the round trip, what queues add, and what is sent again where it was lost. */
function createDelays(chance: Chance) {
  return (from: Party, to: Party): number => {
    const least = leastMs[from.cityIndex]![to.cityIndex]!;
    let delayMs = (least - paths.jitterMs * Math.log(1 - chance.unit())) / 2;
    for (let waitMs: number = paths.resendMs; chance.unit() < paths.loss / 2; waitMs *= 2) delayMs += waitMs;
    return delayMs;
  };
}

/** The network of a world. */
export function createNetwork(queue: EventQueue, chance: Chance, handle: Handle): Network {
  const traffic: Traffic = new Map();
  const count = createCounter(traffic);
  const delayOf = createDelays(chance);
  let sides: ((party: Party) => number) | null = null;
  const sideOf = (party: Party): number => sides?.(party) ?? 0;
  const connects = (from: Party, to: Party): boolean => sides === null || sides(from) === sides(to);

  const ask: Ask = (from, to, request, deliver) => {
    const { name, body, deadlineMs } = request;
    const { life } = from;
    const endsAtMs = queue.nowMs() + deadlineMs;
    let isOver = false;
    const finish = (answer: Parameters<typeof deliver>[0], atMs: number): void => {
      const late = atMs > endsAtMs;
      queue.after(Math.min(atMs, endsAtMs) - queue.nowMs(), () => {
        if (isOver || from.life !== life || !from.isUp) return;
        isOver = true;
        deliver(late ? 'DEADLINE_EXCEEDED' : answer);
      });
    };
    if (!to || !connects(from, to)) return finish('DEADLINE_EXCEEDED', endsAtMs);
    if (!to.isUp) return finish('PEER_UNREACHABLE', queue.nowMs() + 2 * delayOf(from, to));
    const sizeName = sizeNameOf(name, body);
    const arrive = (): void => {
      if (!connects(from, to)) return finish('DEADLINE_EXCEEDED', endsAtMs);
      if (!to.isUp) return finish('PEER_UNREACHABLE', queue.nowMs() + delayOf(to, from));
      const answer = handle(to, from, request);
      const isRefusal = typeof answer === 'string';
      const answerName = isRefusal ? 'refusal' : `${sizeName}/answer`;
      count(name, answerName, () => (isRefusal ? new Uint8Array(24) : encodeAnswer(name, answer)));
      finish(answer, queue.nowMs() + delayOf(to, from));
    };
    count(name, sizeName, () => encodeRequest(name, body));
    queue.after(delayOf(from, to), arrive);
    // a stream that breaks has its requests sent once more
    if (chance.unit() < ways.duplicates) queue.after(2 * delayOf(from, to), arrive);
  };

  return {
    ask,
    roundTripMs: (from, to) => leastMs[from.cityIndex]![to.cityIndex]! + paths.jitterMs,
    sideOf,
    connects,
    isCut: () => sides !== null,
    partition: cut => {
      sides = cut;
    },
    traffic,
  };
}
