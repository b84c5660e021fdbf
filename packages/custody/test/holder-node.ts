import { assert, toHex } from '@skerry/base';
import { hpkeRecipient, hpkeSeal, nodeCrypto, nodeRandom } from '@skerry/crypto';
import {
  decodeHeldKey,
  encodeHeldKey,
  type HeldKey,
  type HolderEffect,
  type HolderEnv,
  type HolderEvent,
  holderEventOf,
  manifestOf,
  stepHolder,
  wipeHeldKey,
} from '@skerry/custody';
import { encodeAnswer, encodeRefusal, type Manifest, type Request } from '@skerry/wire';
import { type Identity, makeIdentity, verifyGrant } from './identities.ts';

/** A holder as a node carries it: its machine, a disk that holds encoded states, and its audit lines. */
export type HolderNode = Identity & {
  /** Shares it is willing to hold; tests change it. */
  capacity: number;
  readonly disk: Map<string, Uint8Array>;
  /** Every state of every key that was on the disk, in order; null where the key was forgotten. */
  readonly history: (Uint8Array | null)[];
  readonly audit: Extract<HolderEffect, { type: 'audit' }>[];
  /** Manifests of what it serves, as it publishes them. */
  readonly published: Manifest[];
  /** Keys of which it was asked to have a share made again. */
  readonly repairs: string[];
  /** Whether its own audits show that others failed; tests change it. */
  isFailing: (x: number) => boolean;
  readonly handle: (from: Uint8Array, request: Request) => Promise<Uint8Array>;
  /** Steps a key's machine with an event of the node's own. */
  readonly step: (keyId: Uint8Array, event: HolderEvent) => Promise<void>;
  readonly expire: () => Promise<void>;
  /** What is on the disk of a key. */
  readonly held: (keyId: Uint8Array) => HeldKey | null;
};

/** A holder with fresh keys and an empty disk. */
export function createHolderNode(nowMs: () => number): HolderNode {
  const identity = makeIdentity();
  const disk = new Map<string, Uint8Array>();
  const node: HolderNode = {
    ...identity,
    capacity: 1000,
    disk,
    history: [],
    audit: [],
    published: [],
    repairs: [],
    isFailing: () => true,
    step: async (keyId, event) => void (await run(keyId, event)),
    handle: async (from, request) => {
      assert(request.name !== 'manifest' && request.name !== 'directory', 'a request about one key');
      const [keyId, event] = holderEventOf(request, from, (_, x) => node.isFailing(x));
      const answer = await run(keyId, event);
      assert(answer !== undefined, 'every request is answered');
      return answer;
    },
    expire: async () => {
      for (const name of disk.keys()) {
        await run(new Uint8Array(Buffer.from(name, 'hex')), { type: 'expire' });
      }
    },
    held: keyId => {
      const stored = disk.get(toHex(keyId));
      return stored ? decodeHeldKey(stored) : null;
    },
  };

  function store(name: string, held: HeldKey | null): void {
    const encoded = held && encodeHeldKey(held);
    node.history.push(encoded);
    if (encoded) disk.set(name, encoded);
    else disk.delete(name);
  }

  /** Steps a key's machine with an event and all that follow from it, up to an answer. */
  async function run(keyId: Uint8Array, first: HolderEvent): Promise<Uint8Array | undefined> {
    const before = node.held(keyId);
    let held = before;
    let event: HolderEvent | undefined = first;
    let answer: Uint8Array | undefined;
    while (event) {
      const step = stepHolder(held, envOf(node, nowMs()), event);
      held = step.held;
      event = undefined;
      for (const effect of step.effects) {
        if (effect.type === 'store') store(toHex(keyId), held);
        else if (effect.type === 'audit') node.audit.push(effect);
        else if (effect.type === 'publish') node.published.push(publishedManifest(effect.held));
        else if (effect.type === 'erase') event = { type: 'erased', tombstone: effect.tombstone };
        else if (effect.type === 'repair') node.repairs.push(toHex(keyId));
        else if (effect.type === 'open-dek' || effect.type === 'verify-grant') event = await followUp(effect);
        else answer = await answerOf(effect);
      }
    }
    for (const state of [before, held]) if (state) wipeHeldKey(state);
    return answer;
  }
  return node;
}

function publishedManifest(held: NonNullable<HeldKey['active']>): Manifest {
  const manifest = manifestOf(held);
  assert(manifest !== undefined, 'what is served was activated');
  return structuredClone(manifest);
}

function envOf({ nodeKey, nodeSeed, capacity, disk }: HolderNode, nowMs: number): HolderEnv {
  const load = { shares: disk.size, offersOfDealer: 0, sharesOfDealer: 0, graves: 0 };
  return { crypto: nodeCrypto, random: nodeRandom, nowMs, nodeKey, nodeSeed, load, capacity };
}

async function followUp(
  effect: Extract<HolderEffect, { type: 'open-dek' | 'verify-grant' }>,
): Promise<HolderEvent> {
  if (effect.type === 'open-dek') {
    const { seed, info, deposit } = effect;
    return { type: 'dek-opened', deposit, dek: await hpkeRecipient(seed).open(info, deposit.sealedDek) };
  }
  const { request, held } = effect;
  return { type: 'grant-verified', request, claims: verifyGrant(request.grant, held.core.authority) };
}

async function answerOf(
  effect: Extract<HolderEffect, { type: 'answer' | 'answer-sealed' | 'refuse' }>,
): Promise<Uint8Array> {
  if (effect.type === 'refuse') return encodeRefusal(effect.code);
  if (effect.type === 'answer') return encodeAnswer(effect.answer.name, effect.answer.body);
  const sealed = await hpkeSeal(effect.recipientKey, effect.info, effect.plaintext);
  assert(sealed !== undefined, 'the holder checked the recipient key');
  return encodeAnswer('round', { sealed });
}
