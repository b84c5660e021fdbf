export { at, compareBytes, concatBytes, equalBytes, fromHex, toHex, wipe } from './src/bytes.ts';
export { decodeCanonical, type Encodable, encodeCanonical, preimage } from './src/encoding.ts';
export {
  AssertionError,
  assert,
  type ErrorCode,
  type ErrorKind,
  type ErrorMetadata,
  errorTable,
  exitCodes,
  httpStatuses,
  isErrorCode,
  SkerryError,
} from './src/errors.ts';
export { fileError } from './src/file-error.ts';
export type { Clock, Crypto, Log, Random } from './src/ports.ts';
export { compareRisk, type Profile, profiles, type Risk, riskLevels } from './src/risk.ts';
