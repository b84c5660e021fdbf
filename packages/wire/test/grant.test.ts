import { parseGrantClaims } from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { codeOf, refusalOf } from './refusal.ts';

const claims = {
  keyId: '0f'.repeat(32),
  epoch: 1,
  op: 'open',
  sub: '12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw',
  cnf: 'a0'.repeat(32),
  jti: 'AbCd_-12',
  nbf: 1_790_000_000,
  exp: 1_790_003_600,
  uses: 3,
  among: [1, 7, 255],
} as const;

type Changes = { readonly [name: string]: unknown };

function parse(changes: Changes): unknown {
  return parseGrantClaims(JSON.parse(JSON.stringify({ ...claims, ...changes })));
}

describe('the claims of a grant', () => {
  test('come back as they were made', () => {
    expect(parse({})).toEqual(claims);
    expect(parse({ op: 'inspect' })).toEqual({ ...claims, op: 'inspect' });
  });

  test('may bind neither an epoch nor a count nor points', () => {
    const open = { epoch: null, uses: null, among: null };
    expect(parse(open)).toEqual({ ...claims, ...open });
  });

  test.each(Object.keys(claims))('are refused without %s', name => {
    const { [name]: _, ...rest } = claims as Changes;
    expect(refusalOf(() => parseGrantClaims(rest))).toBe(
      `GRANT_INVALID: the grant's ${name} is missing or out of bounds`,
    );
  });

  test.each(Object.keys(claims))('are refused where %s is of another type', name => {
    for (const value of [true, {}, [], [[]], '', 'x', -1, 0.5, 1e300]) {
      expect(refusalOf(() => parse({ [name]: value }))).toBe(
        `GRANT_INVALID: the grant's ${name} is missing or out of bounds`,
      );
    }
  });

  test.each<[string, unknown]>([
    ['keyId', '0f'.repeat(31)],
    ['keyId', '0F'.repeat(32)],
    ['keyId', `${claims.keyId}\n`],
    ['keyId', null],
    ['epoch', 0],
    ['epoch', 2 ** 32],
    ['op', 'repair'],
    ['op', 'constructor'],
    ['sub', claims.sub.slice(0, 39)],
    ['sub', `${claims.sub}O`],
    ['sub', '1'.repeat(65)],
    ['cnf', 'a0'.repeat(33)],
    ['jti', 'AbCd_-1'],
    ['jti', 'a'.repeat(65)],
    ['jti', 'AbCd_-1/'],
    ['nbf', 253_402_300_801],
    ['exp', claims.nbf],
    ['exp', claims.nbf - 1],
    ['exp', 253_402_300_801],
    ['uses', 0],
    ['uses', 1_000_001],
    ['among', [1]],
    ['among', [0, 1]],
    ['among', [255, 256]],
    ['among', [7, 1]],
    ['among', [7, 7]],
    ['among', ['1', '7']],
    ['among', { length: 2, 0: 1, 1: 2 }],
    ['nbf', { toString: false }],
    ['exp', { valueOf: 1 }],
  ])('are refused where %s is %j', (name, value) => {
    expect(refusalOf(() => parse({ [name]: value }))).toBe(
      `GRANT_INVALID: the grant's ${name} is missing or out of bounds`,
    );
  });

  test.each(['iss', 'labels', 'constructor', 'toString', 'hasOwnProperty', ''])(
    'are refused with %j, which is no claim',
    name => {
      expect(codeOf(() => parse({ [name]: 'x' }))).toBe('GRANT_INVALID');
    },
  );

  test('are refused with a prototype of their own', () => {
    const text = JSON.stringify(claims);
    const polluted = text.replace('{', '{"__proto__":{"uses":null},');
    expect(refusalOf(() => parseGrantClaims(JSON.parse(polluted)))).toContain('(unknown)');
    const { uses: _, ...rest } = claims;
    const inherited = JSON.stringify(rest).replace('{', '{"__proto__":{"uses":null},');
    expect(refusalOf(() => parseGrantClaims(JSON.parse(inherited)))).toContain('uses');
    expect(Object.hasOwn(Object.prototype, 'uses')).toBe(false);
  });

  test.each([null, undefined, 1, 'claims', true, [], [claims]])('are not %j', payload => {
    expect(codeOf(() => parseGrantClaims(payload))).toBe('GRANT_INVALID');
  });
});
