import { join } from 'node:path';
import { at, type Clock, type Log, SkerryError, toHex } from '@skerry/base';
import { hpkeSeal, nodeClock, nodeCrypto, nodeRandom } from '@skerry/crypto';
import { type AuthoritySigner, type HeldEpoch, roundContextOf } from '@skerry/custody';
import { type Candidate, type Counts, type Placement, planPlacement, regionOf } from '@skerry/placement';
import { challengeOf } from '@skerry/sharing';
import {
  type Authority,
  answerInfo,
  contributionPreimage,
  contributionShape,
  coreHashOf,
  decodeAnswer,
  encode,
  encodeAnswer,
  encodeRequest,
  type GrantClaims,
  type KeyRecord,
  keyIdOf,
  type Manifest,
  nodeIdOf,
  type Offer,
  offerPreimage,
  type RequestAnswer,
  type RequestName,
  type Revocation,
  type RoundRequest,
  requestPreimage,
  revocationHashOf,
  type Tombstone,
  tombstoneHashOf,
} from '@skerry/wire';
import { type CustodyService, createCustodyService } from '../src/custody-service.ts';
import { dealKey } from '../src/dealing.ts';
import { issueGrant } from '../src/grants.ts';
import { createHolderMemory, type HolderMemory } from '../src/holder-memory.ts';
import { createInspecting, type InspectingOptions } from '../src/inspecting.ts';
import { openKey } from '../src/opening.ts';
import { openStore, type Store } from '../src/store.ts';

/** Streams to nobody. */
const noStreams = {
  request: async () => Promise.reject(new SkerryError('PEER_UNREACHABLE')),
  isAlive: () => false,
  roundTripMs: () => undefined,
};

/** A log that says nothing. */
export const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A node's key pair and name. */
export type Party = { readonly nodeSeed: Uint8Array; readonly nodeKey: Uint8Array; readonly nodeId: string };

/** Anybody. */
export function makeParty(): Party {
  const nodeSeed = nodeRandom.bytes(32);
  const nodeKey = nodeCrypto.ed25519PublicKey(nodeSeed);
  return { nodeSeed, nodeKey, nodeId: nodeIdOf(nodeKey) };
}

/** A party that deals keys under one owner key. */
export type Owner = Party & { readonly ownerSeed: Uint8Array; readonly signer: AuthoritySigner };

/** An owner with a new key. */
export function makeOwner(): Owner {
  const ownerSeed = nodeRandom.bytes(32);
  const authority: Authority = { keys: [nodeCrypto.ed25519PublicKey(ownerSeed)], needed: 1 };
  const signer: AuthoritySigner = {
    authority,
    sign: message => [{ index: 0, signature: nodeCrypto.ed25519Sign(ownerSeed, message) }],
  };
  return { ...makeParty(), ownerSeed, signer };
}

/** A holder without a network: its service over a real store. */
export type Holder = Party & {
  readonly store: Store;
  readonly service: CustodyService;
  /** Key ids that it published. */
  readonly published: string[];
  /** Key ids of tombstones that it published. */
  readonly buried: string[];
  /** Who misbehaved towards it, and how. */
  readonly misbehaviour: string[];
};

/** What a test may want otherwise. */
export type HolderOptions = {
  readonly party?: Party;
  readonly capacity?: number;
  readonly clock?: Clock;
  readonly log?: Log;
  /** What the DHT says of a key; nothing when left out. */
  readonly lookUp?: (keyId: Uint8Array) => Promise<KeyRecord | undefined>;
  /** Stands between the service and its store. */
  readonly through?: (store: Store) => Store;
  readonly memory?: HolderMemory;
};

/** A holder whose store is in a directory. */
export async function startHolder(directory: string, options: HolderOptions = {}): Promise<Holder> {
  const { party = makeParty(), capacity = 1_000, clock = nodeClock, log = quiet, through } = options;
  const { lookUp = async () => undefined, memory = createHolderMemory() } = options;
  const store = await openStore(directory);
  const published: string[] = [];
  const buried: string[] = [];
  const misbehaviour: string[] = [];
  const service = await createCustodyService({
    store: through ? through(store) : store,
    nodeKey: party.nodeKey,
    nodeSeed: party.nodeSeed,
    capacity,
    clock,
    random: nodeRandom,
    publish: (held: HeldEpoch) => published.push(toHex(held.core.keyId)),
    bury: ({ keyId }, _shares, isKept) => void (isKept && buried.push(toHex(keyId))),
    lookUp,
    disown: () => undefined,
    recordOf: () => undefined,
    health: { failureOf: () => null },
    isBehind: false,
    streams: noStreams,
    answerOther: () => encodeAnswer('directory', { records: [nodeRandom.bytes(4_000)], total: 1 }),
    onMisbehaviour: (nodeId, kind) => misbehaviour.push(`${nodeId} ${kind}`),
    log,
    memory,
  });
  return { ...party, store, service, published, buried, misbehaviour };
}

/** Holders beside each other, each in a directory of its own. */
export async function startHolders(directory: string, count: number): Promise<Holder[]> {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return Promise.all(numbers.map(async i => startHolder(join(directory, `${i}`))));
}

/** Starts a holder again over the store in its directory, in the place of the one that was. */
export async function restartHolder(
  holders: Holder[],
  directory: string,
  index: number,
  options: HolderOptions = {},
): Promise<Holder> {
  const party = at(holders, index);
  await party.store.close();
  const again = await startHolder(join(directory, `${index}`), { party, ...options });
  holders[index] = again;
  return again;
}

/** Streams from a party to holders, without a network between them. */
export function streamsTo(holders: readonly Holder[], from: Party) {
  return {
    request: async (nodeId: string, body: Uint8Array): Promise<Uint8Array> => {
      const holder = holders.find(candidate => candidate.nodeId === nodeId);
      if (!holder) throw new SkerryError('PEER_UNREACHABLE');
      return holder.service.handle({ nodeId: from.nodeId }, body);
    },
    isAlive: () => true,
    roundTripMs: () => 1,
  };
}

const countries = ['IS', 'BR', 'JP', 'KE', 'DE', 'US', 'AU', 'IN', 'MX', 'ZA'];

/** Where a test's key goes: the nodes in the order given, each in a country and with an operator of its own. */
export function placeOn(nodeIds: readonly string[], counts: Counts = { t: 2, n: 3, k: 4 }): Placement {
  const candidates = nodeIds.map((nodeId, i): Candidate => {
    const country = at(countries, i);
    const place = { name: country, lat: i * 10, lon: i * 20, country, region: regionOf(country) };
    return { nodeId, place, operator: `operator-${i}`, trust: 0.5, availability: 0.97 };
  });
  return planPlacement({ candidates, risk: 'low', profile: 'local', acceptReduced: true, counts });
}

/** Deals a key to holders. */
export async function dealTo(
  holders: readonly Holder[],
  owner: Owner,
  key: Uint8Array,
  { storeManifest = async () => undefined }: { storeManifest?: (manifest: Manifest) => Promise<void> } = {},
): Promise<Manifest> {
  const nonce = nodeRandom.bytes(16);
  const keyId = keyIdOf(nodeCrypto, owner.signer.authority, nonce);
  const { manifest } = await dealKey(
    {
      streams: streamsTo(holders, owner),
      nodeKey: owner.nodeKey,
      nodeSeed: owner.nodeSeed,
      clock: nodeClock,
      random: nodeRandom,
      storeManifest,
      openPending: async () => Promise.reject(new SkerryError('KEY_UNAVAILABLE')),
    },
    {
      key,
      keyId,
      nonce,
      signer: owner.signer,
      previous: null,
      delayMs: 0,
      place: excluded => placeOn(holders.map(({ nodeId }) => nodeId).filter(nodeId => !excluded.has(nodeId))),
    },
  );
  return manifest;
}

/** A grant of an owner to a party. */
export async function grantTo(
  owner: Owner,
  manifest: Manifest,
  to: Party,
  claims: Partial<GrantClaims> = {},
): Promise<Uint8Array> {
  const nbf = Math.floor(Date.now() / 1000);
  const whole: GrantClaims = {
    keyId: toHex(manifest.core.keyId),
    epoch: null,
    op: 'open',
    sub: to.nodeId,
    cnf: toHex(to.nodeKey),
    jti: toHex(nodeRandom.bytes(16)),
    nbf,
    exp: nbf + 60,
    uses: null,
    among: null,
    ...claims,
  };
  return issueGrant(whole, [{ key: at(owner.signer.authority.keys, 0), seed: owner.ownerSeed }]);
}

/** Inspections by a party under grants of an owner, without its keyring. */
export function inspectingAs(
  owner: Owner,
  { nodeKey, nodeSeed }: Party,
  streams: InspectingOptions['network']['streams'],
  evidence: InspectingOptions['network']['evidence'],
): ReturnType<typeof createInspecting> {
  const options = { network: { streams, evidence }, nodeKey, nodeSeed, clock: nodeClock };
  const to = { nodeKey, nodeSeed, nodeId: nodeIdOf(nodeKey) };
  return createInspecting(options, {
    issueFor: async (manifest, _, { op = 'open' }) => ({ token: await grantTo(owner, manifest, to, { op }) }),
  });
}

/** A part of a round that its holder's node signed, and that is none of the share. */
export async function wrongPartOf(
  { core }: Manifest,
  request: RoundRequest,
  { nodeId, nodeSeed }: Pick<Party, 'nodeId' | 'nodeSeed'>,
): Promise<Uint8Array> {
  const { x } = core.holders.find(({ nodeKey }) => nodeIdOf(nodeKey) === nodeId)!;
  const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, request, core.scheme));
  const contribution = nodeRandom.bytes(request.length);
  const signature = nodeCrypto.ed25519Sign(nodeSeed, contributionPreimage(challenge, x, contribution));
  const plaintext = encode(contributionShape, { contribution, signature });
  const sealed = await hpkeSeal(request.recipientKey, answerInfo(challenge, x), plaintext);
  return encodeAnswer('round', { sealed: sealed! });
}

/** A signed request for a round over the first t points and the one given, with a round id of its own. */
export function roundFor(manifest: Manifest, holder: Party, to: Party, grant: Uint8Array): RoundRequest {
  const { core } = manifest;
  const own = core.holders.find(({ nodeKey }) => nodeIdOf(nodeKey) === holder.nodeId);
  if (!own) throw new Error('a holder of the key');
  const others = core.points.map(({ x }) => x).filter(x => x !== own.x);
  const set = [own.x, ...others.slice(0, core.t - 1)].sort((a, b) => a - b);
  const unsigned: RoundRequest = {
    op: 'open',
    keyId: core.keyId,
    epoch: core.epoch,
    coreHash: coreHashOf(nodeCrypto, core),
    t: core.t,
    length: core.length,
    set,
    x: 0,
    recipientId: to.nodeKey,
    recipientKey: nodeCrypto.x25519PublicKey(nodeRandom.bytes(32)),
    grant,
    roundId: nodeRandom.bytes(16),
    issuedAtMs: Date.now(),
    signature: new Uint8Array(64),
  };
  const challenge = challengeOf(nodeCrypto, roundContextOf(nodeCrypto, unsigned, core.scheme));
  const signature = nodeCrypto.ed25519Sign(to.nodeSeed, requestPreimage(challenge, unsigned.issuedAtMs));
  return { ...unsigned, signature };
}

/** A signed offer of a key that is not dealt yet. */
export function offerTo(holder: Party, owner: Owner, nonce: Uint8Array = nodeRandom.bytes(16)): Offer {
  const { authority } = owner.signer;
  const nowMs = Date.now();
  const unsigned = {
    keyId: keyIdOf(nodeCrypto, authority, nonce),
    epoch: 1,
    authority,
    nonce,
    dealer: owner.nodeKey,
    holder: holder.nodeKey,
    length: 64,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + 60_000,
  };
  const signature = nodeCrypto.ed25519Sign(owner.nodeSeed, offerPreimage({ ...unsigned }));
  return { ...unsigned, signature };
}

/** What a holder answers to bytes: an answer, or the code of its refusal. */
export async function answerTo<N extends RequestName>(
  holder: Holder,
  from: Party,
  name: N,
  body: Parameters<typeof encodeRequest<N>>[1],
): Promise<RequestAnswer<N> | string> {
  const answered = await holder.service.handle({ nodeId: from.nodeId }, encodeRequest(name, body));
  try {
    return decodeAnswer(name, answered);
  } catch (error) {
    if (error instanceof SkerryError) return error.code;
    throw error;
  }
}

/** The sealed answer of a holder to a new round, or the code of its refusal. */
export async function roundAt(
  holder: Holder,
  manifest: Manifest,
  by: Party,
  grant: Uint8Array,
): Promise<RequestAnswer<'round'> | string> {
  return answerTo(holder, by, 'round', roundFor(manifest, holder, by, grant));
}

/** Whether a request was answered, and not refused. */
export const isAnswered = (answer: unknown): boolean => typeof answer !== 'string';

/** Opens a key from its holders. */
export async function openFrom(
  holders: readonly Holder[],
  manifest: Manifest,
  by: Party,
  grant: Uint8Array,
): Promise<Uint8Array> {
  const named = manifest.core.holders.map(({ x, nodeKey }) => {
    const nodeId = nodeIdOf(nodeKey);
    return { x, nodeId, label: nodeId };
  });
  const { key } = await openKey(
    {
      streams: streamsTo(holders, by),
      nodeKey: by.nodeKey,
      confirmationSeed: by.nodeSeed,
      clock: nodeClock,
      random: nodeRandom,
    },
    { manifest, grant, holders: named },
  );
  return key;
}

/** The names of everything in a store. */
export async function keysIn(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys(prefix)) keys.push(key);
  return keys;
}

/** The tombstone of an owner's key. */
export function tombstoneOf(owner: Owner, { core }: Manifest): Tombstone {
  const { keyId, authority, nonce } = core;
  const destroyedAtMs = Date.now();
  const signatures = owner.signer.sign(tombstoneHashOf(nodeCrypto, { keyId, destroyedAtMs }));
  return { keyId, authority, nonce, destroyedAtMs, signatures };
}

/** An owner's revocation of a grant of its key, or of all before a time. */
export function revocationOf(
  owner: Owner,
  { core }: Manifest,
  terms: Pick<Revocation, 'grant' | 'issuedBefore'>,
): Revocation {
  const { keyId, authority, nonce } = core;
  const signatures = owner.signer.sign(revocationHashOf(nodeCrypto, { keyId, ...terms }));
  return { keyId, authority, nonce, ...terms, signatures };
}
