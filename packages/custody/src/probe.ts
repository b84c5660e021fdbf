import { type Crypto, type ErrorCode, equalBytes, SkerryError } from '@skerry/base';
import { provePossession, verifyPossession } from '@skerry/sharing';
import {
  coreHashOf,
  type Manifest,
  type Probe,
  probeAnswerPreimage,
  type RequestAnswer,
  seatsOf,
} from '@skerry/wire';
import { type HeldKey, latestEpochOf } from './held-key.ts';
import { openHeldShare } from './held-share.ts';
import type { HolderEnv, HolderStep } from './holder.ts';

/** Why there is no share of a probe's epoch. */
function whyNone(held: HeldKey, { epoch }: Probe): ErrorCode {
  if (latestEpochOf(held) > epoch) return 'EPOCH_MISMATCH';
  if (held.incoming?.manifest.core.epoch === epoch) return 'REPAIR_PENDING';
  return held.left?.manifest.core.epoch === epoch ? 'POINT_MOVED' : 'KEY_UNKNOWN';
}

/**
 * Proves that the share is there: it signs the nonce under the share's key, and the answer with the node's. A share
 * that is damaged is never signed with: a wrong proof with the node's signature is held against it for good.
 *
 * @param held the key as stored
 * @param env crypto and the holder's keys
 * @param probe as received
 * @throws EPOCH_MISMATCH where the key has gone on to a later one, REPAIR_PENDING where the share is still to come,
 *   POINT_MOVED where the point has gone, KEY_UNKNOWN where there is no share of that epoch and point; CORE_MISMATCH where it is another core's; SHARE_CORRUPT where it no longer yields the keys of its point
 */
export function prove(held: HeldKey | null, env: HolderEnv, probe: Probe): HolderStep {
  const { crypto } = env;
  const epochs = [held?.active, held?.pending].filter(epoch => epoch?.core.epoch === probe.epoch);
  const [first] = epochs;
  if (!first && held) throw new SkerryError(whyNone(held, probe));
  if (!first || first.x !== probe.x) throw new SkerryError('KEY_UNKNOWN');
  const epoch = epochs.find(candidate => candidate && equalBytes(candidate.coreHash, probe.coreHash));
  if (!epoch) throw new SkerryError('CORE_MISMATCH');
  const { keys, close } = openHeldShare(crypto, epoch, 'SHARE_CORRUPT');
  try {
    const asked = { ...probe, keyId: epoch.core.keyId };
    const signature = provePossession(crypto, keys.signSeed, asked);
    const nodeSignature = crypto.ed25519Sign(env.nodeSeed, probeAnswerPreimage(asked, signature));
    const body = { signature, nodeSignature };
    return { held, effects: [{ type: 'answer', answer: { name: 'probe', body } }] };
  } finally {
    close();
  }
}

/**
 * What an answer to a probe proves, to its auditor and to anybody whom the auditor shows probe, answer and core:
 * `proof` that the holder has its share; `proof-wrong` that it cheats, since no honest node signs a wrong proof; or
 * nothing, where it is `unsigned` by the holder's node for this very probe, or the core is not the one that was asked
 * about.
 *
 * @param manifest of the key, which was checked
 * @param probe as it was asked
 * @param answer from the holder or from whoever tells of it: anything of the shape
 */
export function judgeProbe(
  crypto: Crypto,
  manifest: Pick<Manifest, 'core' | 'amendments'>,
  probe: Probe,
  answer: RequestAnswer<'probe'>,
): 'proof' | 'proof-wrong' | 'unsigned' {
  const { core } = manifest;
  const point = core.points.find(({ x }) => x === probe.x);
  const holder = seatsOf(manifest).find(({ x }) => x === probe.x);
  // The core's hash stands for its key and epoch too.
  const isAsked = equalBytes(coreHashOf(crypto, core), probe.coreHash);
  if (!point || !holder || !isAsked) return 'unsigned';
  const signed = probeAnswerPreimage(probe, answer.signature);
  if (!crypto.ed25519Verify(holder.nodeKey, signed, answer.nodeSignature)) return 'unsigned';
  return verifyPossession(crypto, point.vk, probe, answer.signature) ? 'proof' : 'proof-wrong';
}
