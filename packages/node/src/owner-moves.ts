import { type Risk, riskLevels, SkerryError, toHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { certifySuccession, rankSuccessors } from '@skerry/placement';
import {
  compareManifests,
  type Manifest,
  nodeIdOf,
  type Proposal,
  seatsOf,
  successorHashOf,
} from '@skerry/wire';
import { parameters } from '../parameters.ts';
import type { OwnedKey } from './keyring.ts';
import { type Moved, movePoint } from './moving.ts';
import type { Notice, Outstanding } from './notices.ts';
import { holdersOf, type OwnerKeys, type OwnershipOptions } from './owner-keys.ts';
import { byNodeId, placedKey } from './placed-points.ts';
import { holderAt } from './possession.ts';

/** What a node does to the points of its owner's keys, and to what it knows of the keys. */
type Moves = {
  /**
   * Moves a point to another node, the best there is by the key's own level. The node has the share made by itself.
   *
   * @throws KEY_UNKNOWN, KEY_DESTROYED; PLACEMENT_INFEASIBLE where nobody fits and takes it; EPOCH_MISMATCH where the key
   *   was dealt anew or the point moved otherwise meanwhile; STORE_FAILED
   */
  readonly move: (keyId: Uint8Array, x: number, reason: Proposal['reason']) => Promise<Moved>;
  /**
   * Says that another key took this one's place.
   *
   * @returns holders that have not taken that in, who are told again
   * @throws KEY_UNKNOWN, KEY_DESTROYED, STORE_FAILED
   */
  readonly nameSuccessor: (keyId: Uint8Array, successor: Uint8Array) => Promise<Outstanding>;
  /**
   * Notes that something under a key asks for a level. It only rises.
   *
   * @returns whether that is more than the key was dealt for, and so wants a refresh
   * @throws KEY_UNKNOWN, KEY_DESTROYED, STORE_FAILED
   */
  readonly raise: (keyId: Uint8Array, risk: Risk) => Promise<boolean>;
};

/** Who may take a point: those that answer, by rank; and if there is nobody else, its holder once more. */
function nomineesFor(
  { assessor, streams }: OwnershipOptions['network'],
  { manifest, notes }: OwnedKey,
  x: number,
): string[] {
  const candidates = assessor.candidates();
  const dealer = nodeIdOf(manifest.core.dealer);
  const alive = candidates.filter(({ nodeId }) => streams.isAlive(nodeId) && nodeId !== dealer);
  const known = byNodeId(notes.former, notes.certificate.holders, candidates);
  const ranked = rankSuccessors(placedKey(manifest, known), x, alive).map(({ nodeId }) => nodeId);
  const leaving = holderAt(manifest, x);
  const again = alive.some(({ nodeId }) => nodeId === leaving) ? [leaving] : [];
  return [...ranked.slice(0, parameters.nomineesMax), ...again];
}

/** Stores a manifest with who has to know of it. */
async function keep(
  { network, store, keyring, clock }: OwnershipOptions,
  keys: OwnerKeys,
  manifest: Manifest,
  told: readonly string[],
  changed: (owned: OwnedKey) => OwnedKey,
): Promise<Notice> {
  const notice: Notice = { name: 'update', body: manifest };
  const untilMs = clock.nowMs() + parameters.formerHoldersToldMs;
  const { keyId } = manifest.core;
  await keys.inTurn(toHex(keyId), async () => {
    const owned = changed(keys.ownedKey(keyId));
    await store.batch([keyring.change(owned), network.notices.note(notice, told, untilMs)]);
  });
  await network.publishManifest(manifest);
  return notice;
}

/** Moves of the points of an owner's keys. */
export function createMoves(options: OwnershipOptions, keys: OwnerKeys): Moves {
  const { network, store, keyring, clock } = options;
  const { notices, streams, assessor } = network;

  async function move(keyId: Uint8Array, x: number, reason: Proposal['reason']): Promise<Moved> {
    const owned = keys.ownedKey(keyId);
    const { manifest } = owned;
    const seat = seatsOf(manifest).find(one => one.x === x);
    if (!seat) throw new SkerryError('FIELD_POINT_INVALID', '', { x });
    const leaving = nodeIdOf(seat.nodeKey);
    let notice: Notice | undefined;
    const adopt = async (next: Manifest): Promise<void> => {
      const successor = nodeIdOf(next.amendments.at(-1)!.proposal.nodeKey);
      const candidates = assessor.candidates();
      const candidate = candidates.find(({ nodeId }) => nodeId === successor);
      const told = new Set([...holdersOf(next), leaving]);
      notice = await keep(options, keys, next, [...told], now => {
        if (compareManifests(nodeCrypto, next, now.manifest) <= 0) {
          throw new SkerryError('EPOCH_MISMATCH', 'the key has gone on meanwhile: look at it again');
        }
        const { certificate } = now.notes;
        const certified = candidate && certifySuccession(certificate, leaving, candidate, candidates);
        const labels = { ...now.notes.labels, [successor]: keys.nameOf(successor) };
        const gone = byNodeId(certificate.holders, candidates).get(leaving);
        const former = gone && leaving !== successor ? [...now.notes.former, gone] : now.notes.former;
        const notes = { ...now.notes, labels, former, certificate: certified ?? certificate };
        return { ...now, manifest: next, notes };
      });
    };
    const nominees = nomineesFor(network, owned, x);
    const order = { manifest, x, reason, nominees, signer: keys.signer };
    const moved = await movePoint({ streams, clock, adopt }, order);
    if (notice) await notices.tell(notice);
    return moved;
  }

  return {
    move,
    nameSuccessor: async (keyId, successor) => {
      const { manifest } = keys.ownedKey(keyId);
      const decided = { keyId: successor, decidedAtMs: clock.nowMs() };
      const signatures = keys.signer.sign(successorHashOf(nodeCrypto, keyId, decided));
      const next = { ...manifest, successor: { ...decided, signatures } };
      const notice = await keep(options, keys, next, holdersOf(next), now => {
        return { ...now, manifest: { ...now.manifest, successor: next.successor } };
      });
      return notices.tell(notice);
    },
    raise: async (keyId, risk) =>
      keys.inTurn(toHex(keyId), async () => {
        const owned = keys.ownedKey(keyId);
        const isHigher = (a: Risk, b: Risk): boolean => riskLevels.indexOf(a) > riskLevels.indexOf(b);
        const raisedTo = isHigher(risk, owned.notes.raisedTo) ? risk : owned.notes.raisedTo;
        if (raisedTo !== owned.notes.raisedTo) {
          await store.batch([keyring.change({ ...owned, notes: { ...owned.notes, raisedTo } })]);
        }
        return isHigher(raisedTo, owned.manifest.core.policy.risk);
      }),
  };
}
