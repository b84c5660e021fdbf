/** One example of every record and message, from fixed seeds. */
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  acceptPreimage,
  type Contribution,
  contributionPreimage,
  coreHashOf,
  deletionPreimage,
  encodeManifest,
  type GrantClaims,
  nodeIdOf,
  offerPreimage,
  probeAnswerPreimage,
  type RequestAnswer,
  type RequestBody,
  type RequestName,
  signNodeRecord,
  tombstoneHashOf,
} from '@skerry/wire';
import {
  activationOf,
  amendmentOf,
  coreSignatures,
  dealKey,
  fixedBytes,
  manifestOf,
  pointsSignatures,
  proposalFor,
  receiptFor,
  revocationOf,
  shareRecordOf,
  signerOf,
  tombstoneOf,
  voteFor,
  withCore,
} from './keys.ts';

const nowMs = 1_790_000_000_000;

/** A key under 2 of 3 owners, 2 of 3 and a spare. */
export const exampleKey = dealKey();

/** The second epoch of a boxed key under one owner. */
export const boxedKey = withCore(
  dealKey({ label: 'boxed', t: 3, n: 3, xs: [1, 2, 128, 255], owners: 1, needed: 1, standby: 0 }),
  {
    epoch: 2,
    previousHash: fixedBytes('previous', 32),
    repairBudget: 1,
    profile: 'local',
    policy: { risk: 'high', delayMs: 60_000, reduced: true, manual: false, simulated: true },
    box: fixedBytes('box', 116),
  },
);

const { core } = exampleKey;
const holder = exampleKey.nodes.get(7)!;
const requester = signerOf('requester');

/** Point 7 of the first example goes to the first standby. */
export const exampleProposal = proposalFor(exampleKey, { x: 7 });

/** The same, signed by the key's owners. */
export const exampleAmendment = amendmentOf(exampleKey, exampleProposal);

/** The share record of point 7. */
export const exampleShareRecord = shareRecordOf(exampleKey, 7);

/** The revocation of one grant. */
export const exampleRevocation = revocationOf(exampleKey, {
  grant: { jti: 'f2Kq3nUd8sXw', exp: 1_790_003_600 },
  issuedBefore: null,
});

/** That the key is destroyed. */
export const exampleTombstone = tombstoneOf(exampleKey);

/** A node's entry in the directory. */
export const exampleNodeRecord = signNodeRecord(crypto, holder.seed, {
  version: 1,
  nodeKey: holder.key,
  sequence: nowMs,
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 3_600_000,
  addresses: ['/ip4/192.0.2.7/tcp/4001', '/dns4/node.example/tcp/443'],
  place: { name: 'Reykjavík', latitudeE6: 64_150_000, longitudeE6: -21_940_000, country: 'IS' },
  operator: 'Example',
  capacity: 1000,
  software: 'skerry/0.1.0',
  observations: [
    {
      subject: fixedBytes('observed', 32),
      availabilityGood: 1250,
      availabilityBad: 75,
      integrityGood: 900,
      integrityBad: 0,
      roundTripTenthsMs: 318,
    },
  ],
});

/** What a grant says. */
export const exampleClaims: GrantClaims = {
  keyId: Buffer.from(core.keyId).toString('hex'),
  epoch: null,
  op: 'open',
  sub: nodeIdOf(requester.key),
  cnf: Buffer.from(requester.key).toString('hex'),
  jti: 'f2Kq3nUd8sXw',
  nbf: 1_790_000_000,
  exp: 1_790_003_600,
  uses: 2,
  among: [3, 7, 90],
};

const unsignedOffer = {
  keyId: core.keyId,
  epoch: 1,
  authority: core.authority,
  nonce: core.nonce,
  dealer: exampleKey.dealer.key,
  holder: holder.key,
  length: 64,
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 60_000,
};
const offer = {
  ...unsignedOffer,
  signature: crypto.ed25519Sign(exampleKey.dealer.seed, offerPreimage(unsignedOffer)),
};
const probe = {
  keyId: core.keyId,
  epoch: 1,
  coreHash: coreHashOf(crypto, core),
  x: 7,
  nonce: fixedBytes('probe', 32),
};
const ek = core.holders.find(({ x }) => x === 7)!.ek;

/** A contribution with its node's signature, before it is sealed. */
export const exampleContribution: Contribution = {
  contribution: fixedBytes('contribution', 64),
  signature: crypto.ed25519Sign(
    holder.seed,
    contributionPreimage(fixedBytes('challenge', 32), 7, fixedBytes('contribution', 64)),
  ),
};

/** A request of each name with its answer. */
export const exampleExchanges: {
  readonly [N in RequestName]: { readonly body: RequestBody<N>; readonly answer: RequestAnswer<N> };
} = {
  offer: {
    body: offer,
    answer: {
      ek,
      expiresAtMs: nowMs + 60_000,
      signature: crypto.ed25519Sign(holder.seed, acceptPreimage(offer, ek, nowMs + 60_000)),
    },
  },
  deposit: {
    body: {
      core,
      signatures: coreSignatures(exampleKey),
      pointsSignatures: pointsSignatures(exampleKey),
      x: 7,
      ciphertext: exampleShareRecord.ciphertext,
      sealedDek: fixedBytes('sealed DEK', 86),
    },
    answer: receiptFor(exampleKey, 7),
  },
  activate: { body: { keyId: core.keyId, activation: activationOf(exampleKey) }, answer: {} },
  round: {
    body: {
      op: 'open',
      keyId: core.keyId,
      epoch: 1,
      coreHash: coreHashOf(crypto, core),
      t: 2,
      length: 64,
      set: [3, 7],
      x: 0,
      recipientId: requester.key,
      recipientKey: crypto.x25519PublicKey(fixedBytes('recipient', 32)),
      grant: fixedBytes('grant', 300),
      roundId: fixedBytes('round', 16),
      issuedAtMs: nowMs,
      signature: fixedBytes('request signature', 64),
    },
    answer: { sealed: fixedBytes('sealed answer', 187) },
  },
  probe: {
    body: probe,
    answer: {
      signature: fixedBytes('possession', 64),
      nodeSignature: crypto.ed25519Sign(
        holder.seed,
        probeAnswerPreimage(probe, fixedBytes('possession', 64)),
      ),
    },
  },
  nominate: {
    body: { keyId: core.keyId, epoch: 1, coreHash: coreHashOf(crypto, core), x: 7 },
    answer: { ek: exampleProposal.ek, acceptance: exampleAmendment.acceptance },
  },
  vote: {
    body: {
      keyId: core.keyId,
      coreHash: coreHashOf(crypto, core),
      previous: exampleProposal.previous,
      offered: { proposal: exampleProposal, acceptance: exampleAmendment.acceptance },
    },
    answer: { proposal: exampleProposal, ...voteFor(exampleKey, exampleProposal, 3) },
  },
  update: { body: { ...manifestOf(exampleKey), amendments: [exampleAmendment] }, answer: {} },
  manifest: {
    body: { keyId: core.keyId },
    answer: { record: encodeManifest(manifestOf(exampleKey)) },
  },
  revoke: { body: exampleRevocation, answer: {} },
  destroy: {
    body: exampleTombstone,
    answer: {
      signature: crypto.ed25519Sign(
        holder.seed,
        deletionPreimage(tombstoneHashOf(crypto, exampleTombstone), holder.key),
      ),
    },
  },
  directory: { body: { offset: 100 }, answer: { records: [exampleNodeRecord], total: 101 } },
};

/** The names of all requests. */
export const requestNames = Object.keys(exampleExchanges) as RequestName[];
