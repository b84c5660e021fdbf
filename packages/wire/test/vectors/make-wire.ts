/**
 * Makes the frozen vectors of the wire format from fixed seeds: one encoding of every record and message, and what
 * is hashed, signed or bound. A difference from wire.json is a change of protocol, which needs a new version.
 * `node test/vectors/make-wire.ts > test/vectors/wire.json` writes them anew.
 */
import { toHex } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  acceptancePreimage,
  acceptPreimage,
  activationPreimage,
  answerInfo,
  contributionPreimage,
  contributionShape,
  coreHashOf,
  custodyProtocol,
  deletionPreimage,
  depositInfo,
  dhtProtocol,
  directoryTopic,
  encode,
  encodeAnswer,
  encodeManifest,
  encodeRefusal,
  encodeRequest,
  encodeRevocation,
  encodeShareRecord,
  encodeTombstone,
  grantType,
  keyIdOf,
  manifestPath,
  offerPreimage,
  pointsHashOf,
  probeAnswerPreimage,
  proposalHashOf,
  type RequestName,
  receiptPreimage,
  requestPreimage,
  revocationHashOf,
  revocationTopic,
  shareRecordPath,
  shareRecordPreimage,
  successorHashOf,
  tombstoneHashOf,
  votePreimage,
} from '@skerry/wire';
import {
  boxedKey,
  exampleAmendment,
  exampleContribution,
  exampleExchanges,
  exampleKey,
  exampleNodeRecord,
  exampleProposal,
  exampleRevocation,
  exampleShareRecord,
  exampleTombstone,
  requestNames,
} from '../examples.ts';
import { fixedBytes, manifestOf, revocationOf } from '../keys.ts';

/** Every vector by its name: hexadecimal, or the text that goes over the wire. */
export function makeVectors(): Record<string, Record<string, string>> {
  const { core } = exampleKey;
  const { keyId, epoch } = core;
  const coreHash = coreHashOf(crypto, core);
  const challenge = fixedBytes('challenge', 32);
  const { offer, probe } = exampleExchanges;
  const { receipts } = exampleExchanges.activate.body.activation;
  const nodeKey = core.holders[0]!.nodeKey;
  return {
    texts: {
      custodyProtocol,
      dhtProtocol,
      directoryTopic,
      grantType,
      revocationTopic,
      manifestPath: manifestPath(keyId),
      shareRecordPath: shareRecordPath(keyId, epoch, 7),
    },
    hashes: {
      keyId: toHex(keyIdOf(crypto, core.authority, core.nonce)),
      core: toHex(coreHash),
      boxedCore: toHex(coreHashOf(crypto, boxedKey.core)),
      points: toHex(pointsHashOf(crypto, keyId, epoch, core.points)),
      revocation: toHex(revocationHashOf(crypto, exampleRevocation)),
      revocationOfAll: toHex(revocationHashOf(crypto, revocationOf(exampleKey))),
      tombstone: toHex(tombstoneHashOf(crypto, exampleTombstone)),
      proposal: toHex(proposalHashOf(crypto, coreHash, exampleProposal)),
      successor: toHex(successorHashOf(crypto, keyId, { keyId: boxedKey.core.keyId, decidedAtMs: 1 })),
    },
    preimages: {
      receipt: toHex(receiptPreimage(coreHash, 7, nodeKey)),
      activation: toHex(activationPreimage(coreHash, receipts)),
      shareRecord: toHex(shareRecordPreimage(crypto, exampleShareRecord)),
      offer: toHex(offerPreimage(offer.body)),
      accept: toHex(acceptPreimage(offer.body, offer.answer.ek, offer.answer.expiresAtMs)),
      deposit: toHex(depositInfo(coreHash, 7, nodeKey, crypto.sha256(exampleShareRecord.ciphertext))),
      request: toHex(requestPreimage(challenge, 1_790_000_000_000)),
      contribution: toHex(contributionPreimage(challenge, 7, exampleContribution.contribution)),
      answer: toHex(answerInfo(challenge, 7)),
      probeAnswer: toHex(probeAnswerPreimage(probe.body, probe.answer.signature)),
      acceptance: toHex(acceptancePreimage(coreHash, 7, exampleProposal.ek, 1_790_000_000_000)),
      vote: toHex(votePreimage(proposalHashOf(crypto, coreHash, exampleProposal), 3)),
      deletion: toHex(deletionPreimage(tombstoneHashOf(crypto, exampleTombstone), nodeKey)),
    },
    records: {
      manifest: toHex(encodeManifest(manifestOf(exampleKey))),
      amendedManifest: toHex(encodeManifest({ ...manifestOf(exampleKey), amendments: [exampleAmendment] })),
      boxedManifest: toHex(encodeManifest(manifestOf(boxedKey))),
      tombstone: toHex(encodeTombstone(exampleTombstone)),
      revocation: toHex(encodeRevocation(exampleRevocation)),
      shareRecord: toHex(encodeShareRecord(exampleShareRecord)),
      nodeRecord: toHex(exampleNodeRecord),
      contribution: toHex(encode(contributionShape, exampleContribution)),
    },
    requests: Object.fromEntries(requestNames.map(name => [name, requestHex(name)])),
    answers: Object.fromEntries(
      requestNames.map(name => [name, toHex(encodeAnswer(name, exampleExchanges[name].answer))]),
    ),
    refusals: { KEY_UNKNOWN: toHex(encodeRefusal('KEY_UNKNOWN')) },
  };
}

function requestHex(name: RequestName): string {
  return toHex(encodeRequest(name, exampleExchanges[name].body));
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(makeVectors(), null, 2)}\n`);
