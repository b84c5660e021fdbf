import { parameters } from '../parameters.ts';

/** When what failed is tried again. */
type Patience = {
  readonly isDue: (name: string) => boolean;
  /** It is tried now; the next time is later than the last. */
  readonly wait: (name: string) => void;
  /** It succeeded. */
  readonly forget: (name: string) => void;
};

/**
 * Lets things be tried again ever more seldom while they fail.
 *
 * @param waitMsMax most that one waits
 */
export function createPatience(waitMsMax: number): Patience {
  const turns = new Map<string, { readonly dueMs: number; readonly waitMs: number }>();
  return {
    isDue: (name: string): boolean => (turns.get(name)?.dueMs ?? 0) <= performance.now(),
    wait: (name: string): void => {
      const waitMs = turns.get(name)?.waitMs ?? parameters.healWaitMsMin;
      const dueMs = performance.now() + waitMs * (0.75 + Math.random() / 2);
      turns.set(name, { dueMs, waitMs: Math.min(2 * waitMs, Math.max(waitMsMax, waitMs)) });
    },
    forget: (name: string): void => void turns.delete(name),
  };
}
