import type { ObservationKind } from '@skerry/trust';
import { expect, test } from 'vitest';
import { noteMisbehaviour } from '../src/network.ts';
import { makeParty } from './holders.ts';

test('too many messages are evidence once their sender is refused for them, and other misbehaviour at once', () => {
  const noted: ObservationKind[] = [];
  const note = noteMisbehaviour({ note: (_, kind) => void noted.push(kind) });
  const { nodeId } = makeParty();
  for (let i = 0; i < 1_000; i++) note(nodeId, 'flood', false);
  expect(noted).toEqual([]);
  note(nodeId, 'flood', true);
  note(nodeId, 'garbage', false);
  note(nodeId, 'equivocation', false);
  note('16Uiu2HAmNUQUAd45nZikFTJCDDF7z72q9Zcm5XWzaHin6hwWNCd2', 'garbage', true);
  expect(noted).toEqual(['flood', 'flood', 'equivocation']);
});
