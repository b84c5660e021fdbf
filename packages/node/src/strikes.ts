import { parameters } from '../parameters.ts';

/** What a peer does that no honest one does for long: malformed messages, more than its rate, two words at once. */
export type Misbehaviour = keyof typeof parameters.strikePoints;

/** Who misbehaved how much of late, and who is refused for it. Bounded, and everything in it passes. */
type Strikes = {
  /**
   * Counts one against a node.
   *
   * @param nowMs of a clock that never jumps
   * @returns whether the node is refused from now on, and was not before
   */
  readonly add: (nodeId: string, kind: Misbehaviour, nowMs: number) => boolean;
  /** Whether a node is refused now. */
  readonly isBarred: (nodeId: string, nowMs: number) => boolean;
};

type Record = { points: number; atMs: number; barredUntilMs: number };

/** Nobody has misbehaved yet. */
export function createStrikes(): Strikes {
  const records = new Map<string, Record>();

  /** Whoever struck longest ago goes, the barred last: new names must not set free the old one. */
  function makeRoom(nowMs: number): void {
    let oldest: string | undefined;
    for (const [nodeId, { barredUntilMs }] of records) {
      oldest ??= nodeId;
      if (barredUntilMs <= nowMs) {
        oldest = nodeId;
        break;
      }
    }
    if (oldest !== undefined) records.delete(oldest);
  }

  return {
    add: (nodeId, kind, nowMs) => {
      const known = records.get(nodeId) ?? {
        points: 0,
        atMs: nowMs,
        barredUntilMs: Number.NEGATIVE_INFINITY,
      };
      const forgiven = (nowMs - known.atMs) / parameters.strikeForgivenMs;
      known.points = Math.max(0, known.points - forgiven) + parameters.strikePoints[kind];
      known.atMs = nowMs;
      const wasBarred = known.barredUntilMs > nowMs;
      const isOver = known.points >= parameters.strikePointsMax;
      if (isOver) {
        known.points = 0;
        known.barredUntilMs = nowMs + parameters.barredMs;
      }
      records.delete(nodeId); // a map keeps insertion order: the front struck longest ago
      records.set(nodeId, known);
      if (records.size > parameters.strikesKeptMax) makeRoom(nowMs);
      return isOver && !wasBarred;
    },
    isBarred: (nodeId, nowMs) => (records.get(nodeId)?.barredUntilMs ?? nowMs) > nowMs,
  };
}
