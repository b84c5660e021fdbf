import { expect, test } from 'vitest';
import { createClosers } from '../src/closing.ts';

test('what was opened last is closed first, once, and what fails keeps nothing else open', async () => {
  const closers = createClosers();
  const closed: string[] = [];
  closers.add(async () => void closed.push('first'));
  closers.add(async () => {
    closed.push('second');
    throw new Error('second does not close');
  });
  closers.add(async () => {
    closed.push('third');
    throw new Error('third does not close');
  });
  const closing = closers.close();
  await expect(closing).rejects.toThrow('third does not close');
  await expect(closers.close()).rejects.toThrow('third does not close');
  expect(closed).toEqual(['third', 'second', 'first']);
});
