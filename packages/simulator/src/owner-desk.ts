/** What an owner's virtual node keeps and does for its keys: it tells, opens, deals and moves, as a node does. */
import {
  assert,
  type ErrorCode,
  equalBytes,
  type Profile,
  type Risk,
  SkerryError,
  toHex,
} from '@skerry/base';
import { type AuthoritySigner, behindCodes, startInspection, stepInspection } from '@skerry/custody';
import type { Candidate, PlacementCertificate } from '@skerry/placement';
import { unpackKey } from '@skerry/sharing';
import {
  compareManifests,
  type GrantClaims,
  keyIdOf,
  type Manifest,
  receiptsNeeded,
  seatsOf,
} from '@skerry/wire';
import { deadlines } from '../parameters.ts';
import { lookUp } from './holder-host.ts';
import { inspectAt, openAt } from './rounds.ts';
import { type Citizen, idOf, type World } from './world.ts';

/** What holders are still to be told: by what and whom. */
type Errand = { readonly name: 'activate' | 'update'; readonly nodeId: string; readonly untilMs: number };

/** A key as its owner's node has it on its disk. */
export type OwnedKey = {
  readonly keyId: string;
  readonly id: Uint8Array;
  readonly nonce: Uint8Array;
  readonly signer: AuthoritySigner;
  /** K, for who checks what opens. */
  readonly key: Uint8Array;
  /** Slots of the nodes that its owner's node knows. */
  readonly known: readonly number[];
  /** Its owner's node. */
  owner: Citizen;
  manifest: Manifest | null;
  previous: Manifest | null;
  certificate: PlacementCertificate | null;
  former: readonly Candidate[];
  risk: Risk;
  readonly profile: Profile;
  /** A deal or a move is under way. */
  isBusy: boolean;
  readonly errands: Map<string, Errand>;
};

/** A key that nobody has dealt yet. */
export function newKey(
  world: World,
  owner: Citizen,
  { risk, profile }: Pick<OwnedKey, 'risk' | 'profile'>,
  known: readonly number[],
): OwnedKey {
  const { crypto, chance } = world;
  const seed = chance.bytes(32);
  const authority = { keys: [crypto.ed25519PublicKey(seed)], needed: 1 };
  const sign = (message: Uint8Array) => [{ index: 0, signature: crypto.ed25519Sign(seed, message) }];
  const nonce = chance.bytes(16);
  const id = keyIdOf(crypto, authority, nonce);
  return {
    keyId: toHex(id),
    id,
    nonce,
    signer: { authority, sign },
    key: chance.bytes(32),
    known,
    owner,
    manifest: null,
    previous: null,
    certificate: null,
    former: [],
    risk,
    profile,
    isBusy: false,
    errands: new Map(),
  };
}

/** The node ids of those that hold a key. */
export function holdersOf(manifest: Manifest): string[] {
  return seatsOf(manifest).map(({ nodeKey }) => idOf(nodeKey));
}

/** Nodes that an owner's node knows, where those that departed have been followed by others, and that it trusts. */
export function candidatesOf(world: World, { known, owner }: OwnedKey): Candidate[] {
  const nowMs = world.queue.nowMs();
  const isTrusted = ({ nodeId }: Citizen): boolean => (owner.shunned.get(nodeId) ?? 0) <= nowMs;
  const nodes = known.map(slot => world.nodes[slot]!).filter(node => node !== owner && isTrusted(node));
  return nodes.map(({ candidate }) => candidate);
}

/** What holders say who know more of a key than they are told. */
const knowsBetter: ReadonlySet<ErrorCode> = new Set(['KEY_UNKNOWN', 'EPOCH_MISMATCH', 'CORE_MISMATCH']);

/** What an owner's node does that changes nothing, or little. */
export type OwnerDesk = {
  /** Tells holders, until each has acknowledged or it is over. */
  readonly tell: (key: OwnedKey, name: Errand['name'], nodeIds: readonly string[], lifeMs: number) => void;
  /** The owner's node is up again: what was to be told is told. */
  readonly wake: (key: OwnedKey) => void;
  /** Keeps what the network knows of a key where it is newer; whether it is. */
  readonly lookAgain: (key: OwnedKey) => boolean;
  /** Confirms a new epoch that enough of its holders serve; whether none is left to confirm. */
  readonly settle: (key: OwnedKey) => boolean;
  /** Opens a manifest's epoch; `isPending` for one that is not active yet. */
  readonly openEpoch: (
    key: OwnedKey,
    manifest: Manifest,
    isPending: boolean,
    deliver: (opened: Uint8Array | ErrorCode) => void,
  ) => void;
  /** Finds out which holders of a key answer rounds wrongly, that of a point first; says whose points those are. */
  readonly inspect: (key: OwnedKey, subject: number, deliver: (liars: ReadonlySet<number>) => void) => void;
  /** Opens a key as it is, and where holders say that it has gone on, as it is then. */
  readonly open: (key: OwnedKey, deliver: (opened: Uint8Array | ErrorCode) => void) => void;
};

/** A grant of the owner to its own node, for half a minute. */
function grantFor(
  world: World,
  { keyId, owner }: OwnedKey,
  epoch: number | null,
  op: GrantClaims['op'] = 'open',
): Uint8Array {
  const grant = world.chance.bytes(32);
  const nbf = Math.floor(world.queue.nowMs() / 1000);
  const claims: GrantClaims = {
    keyId,
    epoch,
    op,
    sub: owner.nodeId,
    cnf: toHex(owner.nodeKey),
    jti: toHex(grant.subarray(0, 16)),
    nbf,
    exp: nbf + deadlines.ownGrantS,
    uses: null,
    among: null,
  };
  world.grants.set(toHex(grant), claims);
  return grant;
}

/** Tells a holder; what fails is tried again, after a wait that doubles. */
function attempt(world: World, key: OwnedKey, errand: Errand, waitMs: number): void {
  const { queue, network } = world;
  const { owner, manifest } = key;
  const { life } = owner;
  const name = `${errand.name}/${errand.nodeId}`;
  if (!owner.isUp || !manifest || key.errands.get(name) !== errand) return;
  if (queue.nowMs() > errand.untilMs) return void key.errands.delete(name);
  const finish = (answer: object | ErrorCode): void => {
    if (key.errands.get(name) !== errand) return;
    const isOver = typeof answer !== 'string' || answer === 'KEY_DESTROYED';
    if (isOver || (errand.name === 'update' && knowsBetter.has(answer))) {
      key.errands.delete(name);
      settle(world, key);
      return;
    }
    queue.after(waitMs, () => {
      if (owner.life === life) attempt(world, key, errand, Math.min(2 * waitMs, deadlines.noticeWaitMaxMs));
    });
  };
  const to = world.nodeById(errand.nodeId);
  // who departed does not come back, which its owner's node does not know: tries in vain are not carried out
  if (!to) return;
  const deadlineMs = deadlines.noticeMs;
  if (errand.name === 'activate') {
    const body = { keyId: key.id, activation: manifest.activation };
    network.ask(owner, to, { name: 'activate', body, deadlineMs }, finish);
  } else {
    network.ask(owner, to, { name: 'update', body: manifest, deadlineMs }, finish);
  }
}

function tell(
  world: World,
  key: OwnedKey,
  name: Errand['name'],
  nodeIds: readonly string[],
  lifeMs: number,
): void {
  const untilMs = world.queue.nowMs() + lifeMs;
  for (const nodeId of nodeIds) {
    const errand = { name, nodeId, untilMs };
    key.errands.set(`${name}/${nodeId}`, errand);
    attempt(world, key, errand, deadlines.noticeWaitMs);
  }
}

function settle(world: World, key: OwnedKey): boolean {
  const { keyId, owner, manifest, previous } = key;
  if (!previous || !manifest) return true;
  const { core } = manifest;
  // whose share is there would prove it: that is not carried out
  const serving = seatsOf(manifest).filter(({ x, nodeKey }) => {
    const holder = world.nodeOf(nodeKey);
    const active = holder?.isUp ? holder.held.get(keyId)?.active : undefined;
    return (
      holder !== undefined && world.network.connects(owner, holder) && active?.core === core && active.x === x
    );
  });
  if (serving.length < receiptsNeeded(core)) return false;
  key.previous = null;
  const now = new Set(holdersOf(manifest));
  const former = holdersOf(previous).filter(nodeId => !now.has(nodeId));
  world.records.put(key.owner, manifest);
  tell(world, key, 'update', former, deadlines.formerHoldersMs);
  return true;
}

function lookAgain(world: World, key: OwnedKey): boolean {
  const { manifest, owner, keyId } = key;
  const known = lookUp(world, owner, keyId);
  if (!known || known === manifest) return false;
  if (manifest && compareManifests(world.crypto, known, manifest) <= 0) return false;
  key.manifest = known;
  return true;
}

function openEpoch(
  world: World,
  key: OwnedKey,
  manifest: Manifest,
  isPending: boolean,
  deliver: (opened: Uint8Array | ErrorCode) => void,
): void {
  const { crypto, grants } = world;
  const { box, keyId, epoch } = manifest.core;
  const grant = grantFor(world, key, isPending ? epoch : null);
  openAt(world, key.owner, manifest, grant, payload => {
    grants.delete(toHex(grant));
    if (typeof payload === 'string') return deliver(payload);
    deliver(unpackKey({ crypto, payload, box, keyId }));
  });
}

function open(world: World, key: OwnedKey, deliver: (opened: Uint8Array | ErrorCode) => void): void {
  const { manifest, previous } = key;
  assert(manifest !== null, 'what is opened was dealt');
  openEpoch(world, key, manifest, false, opened => {
    if (typeof opened !== 'string' || !behindCodes.has(opened)) return deliver(opened);
    const other = lookAgain(world, key) ? key.manifest : previous;
    if (!other) return deliver(opened);
    openEpoch(world, key, other, false, deliver);
  });
}

function inspect(
  world: World,
  key: OwnedKey,
  subject: number,
  deliver: (liars: ReadonlySet<number>) => void,
): void {
  const { crypto, chance, grants } = world;
  const { manifest, owner } = key;
  assert(manifest !== null, 'what is inspected was dealt');
  const isCheat = (nodeKey: Uint8Array): boolean =>
    owner.shunned.get(idOf(nodeKey)) === Number.POSITIVE_INFINITY;
  const unfit = new Set(seatsOf(manifest).flatMap(({ x, nodeKey }) => (isCheat(nodeKey) ? [x] : [])));
  const follow = ({ state, effect }: ReturnType<typeof startInspection>): void => {
    if (effect.type === 'end') return deliver(effect.liars);
    const grant = grantFor(world, key, null, 'inspect');
    inspectAt(world, owner, { manifest, ...effect }, grant, event => {
      grants.delete(toHex(grant));
      follow(stepInspection(crypto, state, event));
    });
  };
  follow(startInspection(chance, manifest, subject, unfit));
}

/** The desk of owners. */
export function createOwnerDesk(world: World): OwnerDesk {
  return {
    tell: (key, name, nodeIds, lifeMs) => tell(world, key, name, nodeIds, lifeMs),
    wake: key => {
      for (const errand of key.errands.values()) attempt(world, key, errand, deadlines.noticeWaitMs);
    },
    lookAgain: key => lookAgain(world, key),
    settle: key => settle(world, key),
    openEpoch: (key, manifest, isPending, deliver) => openEpoch(world, key, manifest, isPending, deliver),
    inspect: (key, subject, deliver) => inspect(world, key, subject, deliver),
    open: (key, deliver) => open(world, key, deliver),
  };
}

/** Whether what opened is the key. */
export function isKey({ key }: OwnedKey, opened: Uint8Array): boolean {
  return equalBytes(opened, key);
}

/** The code of a coded error; a bug is thrown on. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof SkerryError) return error.code;
  throw error;
}
