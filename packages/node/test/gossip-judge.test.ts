import { TopicValidatorResult } from '@libp2p/gossipsub';
import { expect, test } from 'vitest';
import { createJudge } from '../src/gossip-judge.ts';
import { quiet } from './holders.ts';

test('a relay between several loud sources and its neighbours is passed over, and not blamed', () => {
  const perSource = { burst: 10, everyMs: 1_000 };
  const blamed: string[] = [];
  const options = { perSource, clock: { nowMs: () => 0 }, log: quiet, decode: (bytes: Uint8Array) => bytes };
  const onMisbehaviour = (source: string): void => void blamed.push(source);
  const neighbour = createJudge({ ...options, onMisbehaviour, take: () => true });
  const verdicts: TopicValidatorResult[] = [];
  const take = (bytes: Uint8Array): boolean => verdicts.push(neighbour('relay', bytes)) > 0;
  const relay = createJudge({ ...options, onMisbehaviour, take });
  for (const source of ['a', 'b', 'c']) for (let i = 0; i < 10; i++) relay(source, new Uint8Array([i]));
  expect(verdicts.filter(verdict => verdict === TopicValidatorResult.Accept)).toHaveLength(10);
  expect(verdicts.filter(verdict => verdict === TopicValidatorResult.Ignore)).toHaveLength(20);
  expect(blamed).toEqual([]);
});
