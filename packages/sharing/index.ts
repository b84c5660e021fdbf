export { commitPayload, type PackedKey, packKey, unpackKey } from './src/payload.ts';
export {
  type Answer,
  type ContributionInputs,
  challengeOf,
  combineContributions,
  contribute,
  type Operation,
  type PairSecrets,
  type RoundContext,
  recoverPayload,
  recoverShare,
  validateSet,
} from './src/round.ts';
export {
  deriveShareKeys,
  matchShare,
  type Point,
  type Possession,
  provePossession,
  type ShareIdentity,
  type ShareKeys,
  verifyPossession,
} from './src/share-keys.ts';
export { interpolate, type Share, splitPayload } from './src/shares.ts';
