import { assert, type ErrorCode } from '@skerry/base';
import type { Remedy } from './healing.ts';

/** How the healing of a key ended. */
type HealOutcome =
  /** A remedy was carried out. */
  | 'healed'
  /** Somebody else had done something: what is to be done is to be worked out anew. */
  | 'overtaken'
  /** The holder that counted as failed proved its share. */
  | 'back'
  /** No remedy could be carried out now. */
  | 'failed';

/** The machine that heals one key: an owned one by its owner's remedies, or a held one by a holder's proposal. */
type HealerState = {
  /** What is left to try, most first. */
  readonly remedies: readonly Remedy[];
  readonly phase: 'looking' | 'probing' | 'acting' | 'ended';
};

/** What happens to a healing; each effect is answered by one event. */
export type HealerEvent =
  /** Whether the network knows more of the key than was known here. */
  | { readonly type: 'looked'; readonly isNewer: boolean }
  /** Whether the holder proved its share. */
  | { readonly type: 'probed'; readonly isProved: boolean }
  | { readonly type: 'acted' }
  | { readonly type: 'failed'; readonly code: ErrorCode };

/** What the world is to do for a healing; the last of it is `end`. */
export type HealerEffect =
  /** Looks whether somebody else has healed the key; answered by `looked`. */
  | { readonly type: 'look' }
  /** Asks the holder of a point once more for a proof; answered by `probed`. */
  | { readonly type: 'probe'; readonly x: number }
  /** Carries a remedy out; answered by `acted` or `failed`. */
  | { readonly type: 'act'; readonly remedy: Remedy }
  | { readonly type: 'end'; readonly outcome: HealOutcome };

/** A healing after a step: its state, and what is to be done. */
type HealerStep = { readonly state: HealerState; readonly effect: HealerEffect };

function end(state: HealerState, outcome: HealOutcome): HealerStep {
  return { state: { ...state, phase: 'ended' }, effect: { type: 'end', outcome } };
}

/** Tries the first remedy that is left; who may be back is asked first. */
function tryNext(state: HealerState): HealerStep {
  const [remedy] = state.remedies;
  if (!remedy) return end(state, 'failed');
  const mayBeBack = remedy.type === 'move' && (remedy.reason === 'absent' || remedy.reason === 'lost');
  if (mayBeBack) return { state: { ...state, phase: 'probing' }, effect: { type: 'probe', x: remedy.x } };
  return act(state, remedy);
}

function act(state: HealerState, remedy: Remedy): HealerStep {
  const [, ...remedies] = state.remedies;
  return { state: { remedies, phase: 'acting' }, effect: { type: 'act', remedy } };
}

/**
 * Starts healing a key (docs/PROTOCOL.md, healing): first it is looked whether somebody else did.
 *
 * @param remedies of `remediesFor` or `proposalOf`, at least one; those after the first are tried where it fails
 */
export function startHealing(remedies: readonly Remedy[]): HealerStep {
  assert(remedies.length > 0, 'there is something to heal');
  return { state: { remedies, phase: 'looking' }, effect: { type: 'look' } };
}

/**
 * One step of healing a key. A holder is asked once more before its point is moved; where a remedy fails the next is
 * tried.
 *
 * @param state as the last step returned it
 * @param event what came of its effect; another is a bug
 */
export function stepHealing(state: HealerState, event: HealerEvent): HealerStep {
  const { phase } = state;
  switch (event.type) {
    case 'looked':
      assert(phase === 'looking', 'a look is answered once');
      return event.isNewer ? end(state, 'overtaken') : tryNext(state);
    case 'probed': {
      const [remedy] = state.remedies;
      assert(phase === 'probing' && remedy !== undefined, 'a probe is answered once');
      return event.isProved ? end(state, 'back') : act(state, remedy);
    }
    case 'acted':
      assert(phase === 'acting', 'a remedy ends once');
      return end(state, 'healed');
    case 'failed':
      assert(phase === 'acting', 'a remedy ends once');
      return tryNext(state);
  }
}
