export {
  addressesMax,
  amendmentsMax,
  delayMsMax,
  directoryPageMax,
  directoryTotalMax,
  grantBytesMax,
  grantUsesMax,
  manifestBytesMax,
  observationsMax,
  observedHundredthsMax,
  roundTripTenthsMsMax,
  shareRecordBytesMax,
} from './parameters.ts';
export {
  type Activation,
  activationPreimage,
  activationShape,
  checkActivation,
  type Receipt,
  receiptPreimage,
  receiptsNeeded,
  verifyReceipt,
} from './src/activation.ts';
export {
  type Acceptance,
  type Amendment,
  acceptancePreimage,
  amendmentOf,
  amendmentShape,
  type ChainHead,
  chainHeadOf,
  checkAmendments,
  compareChains,
  countShared,
  follows,
  isAccepted,
  isForVoters,
  isTaken,
  type Proposal,
  proposalHashOf,
  proposalShape,
  quorumOf,
  type Seat,
  seatsOf,
  tenuresOf,
  type Vote,
  votePreimage,
} from './src/amendment.ts';
export {
  type Authority,
  type AuthoritySignature,
  authoritySignaturesShape,
  checkAuthority,
  keyIdOf,
} from './src/authority.ts';
export { type Core, checkCore, coreHashOf, coreShape, pointsHashOf } from './src/core.ts';
export { type GrantClaims, grantType, parseGrantClaims, secondsMax } from './src/grant.ts';
export { checkKeyRecord, compareKeyRecords, encodeTombstone, type KeyRecord } from './src/key-record.ts';
export {
  checkManifest,
  compareManifests,
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestPath,
  manifestShape,
  parseManifest,
} from './src/manifest.ts';
export {
  type Accept,
  acceptPreimage,
  answerInfo,
  type Contribution,
  contributionPreimage,
  contributionShape,
  type Deposit,
  decodeAnswer,
  decodeRequest,
  depositInfo,
  encodeAnswer,
  encodeRefusal,
  encodeRequest,
  type Offer,
  offerPreimage,
  offerShape,
  type Probe,
  probeAnswerPreimage,
  type Request,
  type RequestAnswer,
  type RequestBody,
  type RequestName,
  type RoundRequest,
  requestPreimage,
} from './src/messages.ts';
export { isNodeId, nodeIdOf, nodeKeyOf } from './src/node-id.ts';
export { decodeNodeRecord, type NodeRecord, signNodeRecord } from './src/node-record.ts';
export { custodyProtocol, dhtProtocol, directoryTopic, revocationTopic } from './src/protocol.ts';
export {
  checkRevocation,
  decodeRevocation,
  encodeRevocation,
  type Revocation,
  revocationHashOf,
} from './src/revocation.ts';
export {
  bytes,
  decode,
  encode,
  flag,
  integer,
  list,
  nullable,
  type Shape,
  type TypeOf,
  text,
  timeMs,
  tuple,
} from './src/shapes.ts';
export {
  checkShareRecord,
  compareShareRecords,
  decodeShareRecord,
  encodeShareRecord,
  type ShareRecord,
  shareRecordPath,
  shareRecordPreimage,
} from './src/share-record.ts';
export { checkSuccessor, type Successor, successorHashOf, successorShape } from './src/successor.ts';
export {
  checkTombstone,
  deletionPreimage,
  type Tombstone,
  tombstoneHashOf,
  tombstoneShape,
} from './src/tombstone.ts';
