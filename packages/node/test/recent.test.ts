import { describe, expect, test } from 'vitest';
import { createRecent } from '../src/recent.ts';

describe('what is kept as recent', () => {
  test('is made once, until it is forgotten', () => {
    const recent = createRecent<number>(4);
    let made = 0;
    const get = (): number => recent.get('a', () => ++made);
    expect([get(), get()]).toEqual([1, 1]);
    recent.forget('a');
    expect(get()).toBe(2);
  });

  test('is bounded: what was wanted longest ago goes first, and is discarded', () => {
    const discarded: string[] = [];
    const recent = createRecent<string>(2, value => void discarded.push(value));
    for (const name of ['a', 'b', 'a', 'c', 'd']) recent.get(name, () => name);
    expect(discarded).toEqual(['b', 'a']);
    recent.forget('c');
    recent.forget('c');
    expect(discarded).toEqual(['b', 'a', 'c']);
  });
});
