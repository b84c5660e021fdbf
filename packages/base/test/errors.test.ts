import {
  AssertionError,
  assert,
  type ErrorCode,
  errorTable,
  exitCodes,
  httpStatuses,
  isErrorCode,
  SkerryError,
} from '@skerry/base';
import { describe, expect, test } from 'vitest';

describe('SkerryError', () => {
  test('takes kind and message from the table', () => {
    const error = new SkerryError('PLACE_UNKNOWN');
    expect(error.kind).toBe('invalid');
    expect(error.message).toBe(errorTable.PLACE_UNKNOWN.meaning);
    expect(error.metadata).toEqual({});
    expect(error.name).toBe('SkerryError');
    expect('cause' in error).toBe(false);
  });

  test('keeps the message, metadata and cause given', () => {
    const cause = new Error('disk');
    const error = new SkerryError('STORE_FAILED', 'no space', { bytes: 3 }, cause);
    expect(error).toMatchObject({
      code: 'STORE_FAILED',
      kind: 'unavailable',
      message: 'no space',
      metadata: { bytes: 3 },
      cause,
    });
  });
});

describe('the error table', () => {
  test('gives every code a known kind, a meaning, and an exit code and status by that kind', () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]*$/);
      const { kind, meaning } = errorTable[code];
      expect(meaning.length).toBeGreaterThan(20);
      expect(exitCodes[kind]).toBeGreaterThan(1);
      expect(httpStatuses[kind]).toBeGreaterThanOrEqual(400);
    }
  });

  test('knows its own codes and no inherited property', () => {
    expect(isErrorCode('USAGE')).toBe(true);
    expect(isErrorCode('usage')).toBe(false);
    expect(isErrorCode('toString')).toBe(false);
    expect(isErrorCode('__proto__')).toBe(false);
  });
});

describe('assert', () => {
  test('passes what holds and throws an AssertionError, not a SkerryError, for a bug', () => {
    expect(() => assert(true, 'rule')).not.toThrow();
    const broken = () => assert(false, 'one and one is two');
    expect(broken).toThrow(AssertionError);
    expect(broken).toThrow('one and one is two');
    expect(broken).not.toThrow(SkerryError);
  });
});
