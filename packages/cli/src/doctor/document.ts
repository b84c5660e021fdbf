import type { Peer } from '@skerry/node';
import { checksOf } from './checks.ts';
import { gatherFacts } from './facts.ts';

/**
 * What `doctor --json` gives: every check, whether none of them is bad, and how this node stands with others.
 *
 * @param peer this node
 */
export async function doctorDocument(peer: Peer) {
  const facts = await gatherFacts(peer);
  const checks = checksOf(facts);
  return { ok: checks.every(({ verdict }) => verdict !== 'bad'), checks, standing: facts.standing };
}

/** See `doctorDocument`. */
export type DoctorDocument = Awaited<ReturnType<typeof doctorDocument>>;
