import type { ErrorCode } from '@skerry/base';
import { SkerryError } from '@skerry/base';
import { hpkeRecipient, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { roundContextOf } from '@skerry/custody';
import { challengeOf } from '@skerry/sharing';
import {
  answerInfo,
  contributionShape,
  coreHashOf,
  decode,
  decodeAnswer,
  type Manifest,
  nodeIdOf,
  type RoundRequest,
  requestPreimage,
} from '@skerry/wire';
import type { Identity } from './identities.ts';
import { signGrant } from './identities.ts';
import { claimsFor, nodeOf, type World } from './world.ts';

/** A round request with the signature of a confirmation key. */
export function signRequest(request: RoundRequest, confirmationSeed: Uint8Array): RoundRequest {
  const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, 'gf256'));
  const signed = requestPreimage(challenge, request.issuedAtMs);
  return { ...request, signature: nodeCrypto.ed25519Sign(confirmationSeed, signed) };
}

/** A request that opens a key, and the seed of its recipient key. */
type Asked = { readonly request: RoundRequest; readonly recipientSeed: Uint8Array };

/** A signed request to open a key by one set; `changes` are made before it is signed. */
export function makeRequest(
  world: World,
  manifest: Manifest,
  set: readonly number[],
  by: Identity,
  changes: Partial<RoundRequest> = {},
): Asked {
  const { core } = manifest;
  const recipientSeed = nodeRandom.bytes(32);
  const request: RoundRequest = {
    op: 'open',
    keyId: core.keyId,
    epoch: core.epoch,
    coreHash: coreHashOf(nodeCrypto, core),
    t: core.t,
    length: core.length,
    set: [...set].sort((a, b) => a - b),
    x: 0,
    recipientId: by.nodeKey,
    recipientKey: nodeCrypto.x25519PublicKey(recipientSeed),
    grant: signGrant(world.owner, claimsFor(world, manifest, by)),
    roundId: nodeRandom.bytes(16),
    issuedAtMs: world.timeline.nowMs(),
    signature: new Uint8Array(64),
    ...changes,
  };
  return { request: signRequest(request, by.nodeSeed), recipientSeed };
}

/** What one holder answers to a request, opened. */
export async function contributionOf(
  world: World,
  manifest: Manifest,
  { request, recipientSeed }: Asked,
  x: number,
): Promise<Uint8Array | ErrorCode> {
  const holder = manifest.core.holders.find(entry => entry.x === x);
  if (!holder) throw new Error(`no holder of ${x}`);
  const node = nodeOf(world, nodeIdOf(holder.nodeKey));
  const answer = await node.handle(request.recipientId, { name: 'round', body: request });
  try {
    const { sealed } = decodeAnswer('round', answer);
    const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, 'gf256'));
    const opened = await hpkeRecipient(recipientSeed).open(answerInfo(challenge, x), sealed);
    return opened ? decode(contributionShape, opened, 512, 'contribution').contribution : 'SIGNATURE_INVALID';
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  }
}

/** What all of a request's set answer, opened; throws where one refuses. */
export async function contributionsOf(
  world: World,
  manifest: Manifest,
  asked: Asked,
): Promise<Map<number, Uint8Array>> {
  const contributions = new Map<number, Uint8Array>();
  for (const x of asked.request.set) {
    const contribution = await contributionOf(world, manifest, asked, x);
    if (typeof contribution === 'string') throw new Error(contribution);
    contributions.set(x, contribution);
  }
  return contributions;
}

/** Every subset of a list with so many members, in order. */
export function subsets<T>(list: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return list.flatMap((first, i) => subsets(list.slice(i + 1), size - 1).map(rest => [first, ...rest]));
}

/** The XOR of byte strings of one length. */
export function xor(parts: readonly Uint8Array[]): Uint8Array {
  return parts.reduce((sum, part) => sum.map((byte, i) => byte ^ part[i]!));
}
