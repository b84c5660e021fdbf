import { compareRisk, type Risk, riskLevels, SkerryError, toHex, wipe } from '@skerry/base';
import {
  type Ending,
  type GivenGrant,
  type OwnedKey,
  type Peer,
  type Protection,
  parseKeyId,
  readGrantClaims,
} from '@skerry/node';
import type { Counts } from '@skerry/placement';
import { keyIdPrefixMin } from '../../parameters.ts';
import { isAlias } from '../alias.ts';
import { doctorDocument } from '../doctor/document.ts';
import { type KeyDocument, keyDocument } from '../key-document.ts';
import { explainDocument } from './key-evidence.ts';
import type { Packet } from './packet.ts';
import { peerDocument, peersDocument, standingDocument } from './peer-documents.ts';
import type { Methods } from './server.ts';

/** A call's argument, read field by field; what is not of its type is a MESSAGE_MALFORMED. */
type Fields = {
  readonly text: (name: string) => string;
  readonly optionalText: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  readonly number: (name: string) => number;
  readonly optionalNumber: (name: string) => number | undefined;
};

const textMax = 32_768;

/** A grant to revoke, null for all of its key. */
type RevokedGrant = {
  readonly keyId: Uint8Array;
  readonly grant: Pick<GivenGrant, 'jti' | 'exp'> | null;
};

function fieldsOf(document: unknown): Fields {
  const values = Object(document) as Record<string, unknown>;
  const wrong = (name: string): SkerryError =>
    new SkerryError('MESSAGE_MALFORMED', `${name} is missing or malformed`);
  const optionalText = (name: string): string | undefined => {
    const value = values[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || value.length > textMax) throw wrong(name);
    return value;
  };
  const optionalNumber = (name: string): number | undefined => {
    const value = values[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(name);
    return value;
  };
  return {
    optionalText,
    optionalNumber,
    text: name => {
      const value = optionalText(name);
      if (value === undefined) throw wrong(name);
      return value;
    },
    number: name => {
      const value = optionalNumber(name);
      if (value === undefined) throw wrong(name);
      return value;
    },
    flag: name => values[name] === true,
  };
}

function riskIn(text: string | undefined): Risk | undefined {
  if (text === undefined) return undefined;
  const risk = riskLevels.find(level => level === text);
  if (!risk) throw new SkerryError('MESSAGE_MALFORMED', 'no such risk level');
  return risk;
}

function countsIn(fields: Fields): Counts | undefined {
  const [t, n, k] = [fields.optionalNumber('t'), fields.optionalNumber('n'), fields.optionalNumber('k')];
  return t === undefined || n === undefined || k === undefined ? undefined : { t, n, k };
}

function protectionIn(fields: Fields): Protection {
  const counts = countsIn(fields);
  const measuredRisk = riskIn(fields.optionalText('measuredRisk'));
  const alias = fields.optionalText('alias');
  if (alias !== undefined && !isAlias(alias))
    throw new SkerryError('MESSAGE_MALFORMED', 'no such alias can be');
  return {
    risk: riskIn(fields.text('risk')) ?? 'high',
    acceptReduced: fields.flag('acceptReduced'),
    kind: fields.optionalText('kind') === 'sealed' ? 'sealed' : 'extractable',
    ...(counts && { counts }),
    ...(measuredRisk && { measuredRisk }),
    ...(alias !== undefined && { alias }),
  };
}

function slotIn(fields: Fields): { keyId: Uint8Array; nonce: Uint8Array } {
  const nonce = new Uint8Array(Buffer.from(fields.text('nonce'), 'hex'));
  if (nonce.length !== 16) throw new SkerryError('MESSAGE_MALFORMED', 'a nonce is 16 bytes');
  return { keyId: parseKeyId(fields.text('keyId')), nonce };
}

function answer(document: unknown, secret: Uint8Array = new Uint8Array(0)): Packet {
  return { document, secret };
}

/** The owner's keys of an alias: those that live, else those that were destroyed. */
async function ownedByAlias(peer: Peer, alias: string): Promise<OwnedKey[]> {
  const named = (await peer.keys.list()).filter(({ notes }) => notes.alias === alias);
  const alive = named.filter(({ tombstone }) => tombstone === null);
  return alive.length > 0 ? alive : named;
}

/** The owner's key of an alias, an id, or the beginning of an id. */
async function findOwned(peer: Peer, name: string): Promise<OwnedKey> {
  if (/^[0-9a-f]{64}$/i.test(name)) {
    const owned = peer.keys.get(parseKeyId(name));
    if (owned) return owned;
  }
  let found = await ownedByAlias(peer, name);
  if (found.length === 0 && name.length >= keyIdPrefixMin && /^[0-9a-f]+$/i.test(name)) {
    const begun = name.toLowerCase();
    found = (await peer.keys.list()).filter(({ manifest }) => toHex(manifest.core.keyId).startsWith(begun));
  }
  const [only] = found;
  if (!only || found.length > 1) {
    const count = found.length === 0 ? 'no key' : `${found.length} keys`;
    throw new SkerryError('KEY_UNKNOWN', `this home has ${count} of that id or alias`, { name });
  }
  return only;
}

/** An alias names one key: who destroys by it must not meet another. */
async function refuseTakenAlias(peer: Peer, alias: string | undefined): Promise<void> {
  if (alias === undefined) return;
  const [taken] = await ownedByAlias(peer, alias);
  if (!taken || taken.tombstone) return;
  const keyId = toHex(taken.manifest.core.keyId);
  throw new SkerryError('USAGE', `another key of this home has that alias: ${keyId}`, { keyId });
}

/** The id that a name stands for: a key of this home by alias, or anybody's by its 64 digits. */
async function keyIdOf(peer: Peer, name: string): Promise<Uint8Array> {
  if (/^[0-9a-f]{64}$/i.test(name)) return parseKeyId(name);
  return (await findOwned(peer, name)).manifest.core.keyId;
}

/** The grant that is meant by a token, by the id of a grant that this home gave, or by a key and an id; null for all. */
async function grantToRevoke(peer: Peer, fields: Fields): Promise<RevokedGrant> {
  const [token, jti, key] = ['token', 'jti', 'key'].map(fields.optionalText);
  if (token !== undefined) {
    const { keyId, jti: named, exp } = readGrantClaims(new Uint8Array(Buffer.from(token, 'base64url')));
    return { keyId: parseKeyId(keyId), grant: { jti: named, exp } };
  }
  if (jti === undefined) return { keyId: await keyIdOf(peer, fields.text('key')), grant: null };
  const given = await peer.findGrant(jti);
  if (given) return { keyId: parseKeyId(given.keyId), grant: given };
  if (key === undefined) {
    throw new SkerryError('GRANT_INVALID', 'this home gave no such grant that has not expired', { jti });
  }
  // Another home of the same owner gave it: no grant that is good now outlives this.
  const exp = Math.ceil(Date.now() / 1000) + 3600;
  return { keyId: await keyIdOf(peer, key), grant: { jti, exp } };
}

/** What a revocation or a destruction has come to. */
function endingDocument({ acknowledged, needed, k, outstanding }: Ending): object {
  const missing = Object.entries(outstanding).map(([nodeId, code]) => ({ nodeId, code }));
  return { acknowledged, needed, k, outstanding: missing };
}

async function statusDocument(peer: Peer): Promise<object> {
  const keys = await peer.keys.list();
  const documents = keys.map(key => keyDocument(key, peer));
  const candidates = peer.candidates();
  const idsOf = (isOne: (document: KeyDocument) => boolean): string[] =>
    documents.filter(document => !document.destroyed && isOne(document)).map(({ keyId }) => keyId);
  return {
    nodeId: peer.nodeId,
    home: peer.home,
    location: peer.place,
    operator: peer.operator,
    listen: peer.addresses(),
    peers: candidates.length,
    alive: candidates.filter(({ nodeId }) => peer.isAlive(nodeId)).length,
    shares: peer.shareCount(),
    keys: keys.length,
    keysBelowThreshold: idsOf(({ level }) => level === 'lost'),
    keysCritical: idsOf(({ level }) => level === 'critical'),
    keysReduced: idsOf(({ reduced }) => reduced),
    keysExposed: idsOf(({ exposed }) => exposed),
    standing: standingDocument(peer),
    uptimeS: Math.round(process.uptime()),
  };
}

/** A key with what ends: its grants, and the deletions that its holders signed. */
async function shownKey(peer: Peer, name: string): Promise<object> {
  const owned = await findOwned(peer, name);
  const { keyId } = owned.manifest.core;
  const grants = (await peer.grants(keyId)).map(({ jti, sub: to, exp, uses, isRevoked: revoked }) => {
    return { jti, to, exp, uses, revoked };
  });
  const deletions = (await peer.deletions(keyId)).map(({ nodeId, atMs, signature }) => {
    return { nodeId, at: new Date(atMs).toISOString(), signature: toHex(signature) };
  });
  return { ...keyDocument(owned, peer), grants, deletions, certificate: owned.notes.certificate };
}

/** Deals a key anew, and says how it is then. Never for less than something under it asks for. */
async function refreshed(peer: Peer, fields: Fields): Promise<object> {
  const { manifest, notes } = await findOwned(peer, fields.text('key'));
  const { keyId } = manifest.core;
  const [risk, counts] = [riskIn(fields.optionalText('risk')), countsIn(fields)];
  const wanted = notes.raisedTo;
  if (risk && compareRisk(risk, wanted) < 0) {
    const message = `something under the key asks for risk ${wanted}`;
    throw new SkerryError('RISK_BELOW_MINIMUM', message, { asked: risk, minimum: wanted });
  }
  await peer.refresh(keyId, {
    ...(risk && { risk }),
    ...(counts && { counts }),
    ...(fields.flag('acceptReduced') && { acceptReduced: true }),
  });
  if (risk) await peer.raise(keyId, risk);
  return keyDocument(await findOwned(peer, toHex(keyId)), peer);
}

/** Moves points of a key at once, and says what became of them and how the key is then. */
async function repaired(peer: Peer, fields: Fields): Promise<object> {
  const { manifest } = await findOwned(peer, fields.text('key'));
  const { keyId } = manifest.core;
  const points = await peer.repair(keyId, fields.optionalText('nodeId') ?? null);
  const moved = points.map(({ isRepaired, ...point }) => ({ ...point, repaired: isRepaired }));
  return { ...keyDocument(await findOwned(peer, toHex(keyId)), peer), points: moved };
}

/** Has a key protected as a level asks for: dealt anew first where that is more than it was dealt for. */
async function raised(peer: Peer, fields: Fields): Promise<object> {
  const { manifest, notes } = await findOwned(peer, fields.text('key'));
  const { keyId, policy } = manifest.core;
  const asked = riskIn(fields.text('risk')) ?? 'high';
  const risk = compareRisk(asked, notes.raisedTo) > 0 ? asked : notes.raisedTo;
  const isMore = compareRisk(risk, policy.risk) > 0;
  if (isMore)
    await peer.refresh(keyId, { risk, ...(fields.flag('acceptReduced') && { acceptReduced: true }) });
  await peer.raise(keyId, asked);
  return { ...keyDocument(await findOwned(peer, toHex(keyId)), peer), raised: isMore };
}

/** What the daemon does for its operator's programs: every method of the local API. */
export function daemonMethods(peer: Peer): Methods {
  return {
    reserve: async () => {
      const { keyId, nonce } = peer.reserveKey();
      return answer({ keyId: toHex(keyId), nonce: toHex(nonce) });
    },
    plan: async ({ document }) => answer(peer.plan(protectionIn(fieldsOf(document)))),
    deal: async ({ document, secret }) => {
      const fields = fieldsOf(document);
      const protection = protectionIn(fields);
      await refuseTakenAlias(peer, protection.alias);
      const { placement } = await peer.deal(slotIn(fields), secret, protection);
      return answer({ placement });
    },
    open: async ({ document, secret }) => {
      const keyId = await keyIdOf(peer, fieldsOf(document).text('key'));
      const { key, sets } = await peer.open(keyId, secret.length > 0 ? secret : undefined);
      const copy = key.slice();
      wipe(key);
      return answer({ keyId: toHex(keyId), sets }, copy);
    },
    keys: async () => answer({ keys: (await peer.keys.list()).map(key => keyDocument(key, peer)) }),
    key: async ({ document }) => answer(await shownKey(peer, fieldsOf(document).text('key'))),
    refresh: async ({ document }) => answer(await refreshed(peer, fieldsOf(document))),
    repair: async ({ document }) => answer(await repaired(peer, fieldsOf(document))),
    raise: async ({ document }) => answer(await raised(peer, fieldsOf(document))),
    succeed: async ({ document }) => {
      const fields = fieldsOf(document);
      const { keyId } = (await findOwned(peer, fields.text('key'))).manifest.core;
      const outstanding = await peer.nameSuccessor(keyId, parseKeyId(fields.text('successor')));
      return answer({ keyId: toHex(keyId), outstanding: [...outstanding.keys()] });
    },
    grant: async ({ document }) => {
      const fields = fieldsOf(document);
      const keyId = await keyIdOf(peer, fields.text('key'));
      const terms = { lifeMs: fields.number('lifeMs'), uses: fields.optionalNumber('uses') ?? null };
      const { token, jti, exp } = await peer.grant(keyId, fields.text('to'), terms);
      return answer({ keyId: toHex(keyId), token: Buffer.from(token).toString('base64url'), jti, exp });
    },
    revoke: async ({ document }) => {
      const fields = fieldsOf(document);
      const { keyId, grant } = await grantToRevoke(peer, fields);
      const ending = await peer.revoke(keyId, grant);
      const who = { keyId: toHex(keyId), jti: grant?.jti ?? null };
      return answer({ ...who, ...endingDocument(ending), effective: ending.acknowledged >= ending.needed });
    },
    destroy: async ({ document }) => {
      const { keyId } = (await findOwned(peer, fieldsOf(document).text('key'))).manifest.core;
      const ending = await peer.destroy(keyId);
      const isComplete = ending.acknowledged >= ending.needed;
      return answer({ keyId: toHex(keyId), ...endingDocument(ending), complete: isComplete });
    },
    explain: async ({ document }) =>
      answer(explainDocument(await findOwned(peer, fieldsOf(document).text('key')), peer)),
    peers: async () => answer(peersDocument(peer)),
    peer: async ({ document }) => answer(peerDocument(peer, fieldsOf(document).text('nodeId'))),
    doctor: async () => answer(await doctorDocument(peer)),
    status: async () => answer(await statusDocument(peer)),
  };
}
