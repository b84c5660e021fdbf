import { describe, expect, it } from 'vitest';
import { statedTrust, statementOn } from '../src/statement.ts';

describe('a statement', () => {
  it("on a node comes before one on its operator, and one on nobody is anybody's", () => {
    const statements = { abc: 0.7, 'operator:auk': 'deny' } as const;
    expect(statementOn(statements, 'abc', 'auk')).toBe(0.7);
    expect(statementOn(statements, 'xyz', 'auk')).toBe('deny');
    expect(statementOn(statements, 'xyz', 'loon')).toBeNull();
    expect(statementOn(statements, 'operator:auk', null)).toBe('deny');
    expect(statementOn({}, 'constructor', '__proto__')).toBeNull();
  });

  it('of a number, or to deny, stands for all evidence; to allow or to vouch raises only', () => {
    expect([statedTrust(0.3, 0.9), statedTrust('deny', 0.9)]).toEqual([0.3, 0]);
    expect([statedTrust('allow', 0), statedTrust('allow', 0.9)]).toEqual([0.5, 0.9]);
    expect([statedTrust('vouch', 0.1), statedTrust('vouch', 0.9)]).toEqual([0.8, 0.9]);
  });
});
