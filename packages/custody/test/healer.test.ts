import { startHealing, stepHealing } from '@skerry/custody';
import { describe, expect, it } from 'vitest';
import type { HealerEvent } from '../src/healer.ts';
import type { Remedy } from '../src/healing.ts';

const refresh: Remedy = { type: 'refresh', why: 'risk' };
const move: Remedy = { type: 'move', x: 7, reason: 'absent' };
const denied: Remedy = { type: 'move', x: 8, reason: 'denied' };
const notNewer: HealerEvent = { type: 'looked', isNewer: false };
const notProved: HealerEvent = { type: 'probed', isProved: false };
const failed: HealerEvent = { type: 'failed', code: 'PLACEMENT_INFEASIBLE' };

/** What is done for some remedies while this happens, in a word each. */
function run(remedies: readonly Remedy[], events: readonly HealerEvent[]): string[] {
  let step = startHealing(remedies);
  const done = [nameOf(step)];
  for (const event of events) {
    step = stepHealing(step.state, event);
    done.push(nameOf(step));
  }
  return done;
}

function nameOf({ effect }: ReturnType<typeof startHealing>): string {
  if (effect.type === 'end') return effect.outcome;
  return effect.type === 'act' ? effect.remedy.type : effect.type;
}

describe('healing a key', () => {
  it('looks first whether somebody else did, and ends where that is so', () => {
    expect(run([move], [{ type: 'looked', isNewer: true }])).toEqual(['look', 'overtaken']);
  });

  it('asks a holder once more before its point is moved, and leaves it where it proves its share', () => {
    const back: HealerEvent = { type: 'probed', isProved: true };
    expect(run([move], [notNewer, back])).toEqual(['look', 'probe', 'back']);
    expect(run([move], [notNewer, notProved, { type: 'acted' }])).toEqual([
      'look',
      'probe',
      'move',
      'healed',
    ]);
  });

  it('asks nobody whose point is moved for what it did', () => {
    expect(run([denied], [notNewer, { type: 'acted' }])).toEqual(['look', 'move', 'healed']);
  });

  it('tries the next remedy where one fails, until none is left', () => {
    const all = run([refresh, move], [notNewer, failed, notProved, failed]);
    expect(all).toEqual(['look', 'refresh', 'probe', 'move', 'failed']);
    expect(run([refresh, move], [notNewer, { type: 'acted' }])).toEqual(['look', 'refresh', 'healed']);
  });

  it('has something to do, and an answer for each effect alone', () => {
    expect(() => startHealing([])).toThrow('something to heal');
    const { state } = startHealing([move]);
    for (const event of [notProved, failed, { type: 'acted' } as const]) {
      expect(() => stepHealing(state, event)).toThrow('once');
    }
    const probing = stepHealing(state, notNewer).state;
    expect(() => stepHealing(probing, notNewer)).toThrow('once');
  });
});
