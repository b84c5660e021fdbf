/** What the caller should do about an error. */
export type ErrorKind = 'invalid' | 'refused' | 'unavailable' | 'corrupt';

/** Exit codes of the command line, by kind; 0 is success and 1 is a bug. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
  invalid: 2,
  refused: 3,
  unavailable: 4,
  corrupt: 5,
};

/** HTTP statuses by kind, where a code does not name its own. */
export const httpStatuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  refused: 403,
  unavailable: 503,
  corrupt: 500,
};

/**
 * Every error code: its kind and what it means with what to do. The one table: exit codes and HTTP statuses
 * follow from the kind, the wire carries the code itself, docs/ERRORS.md is held against it by a test.
 */
export const errorTable = {
  // Input and configuration
  USAGE: { kind: 'invalid', meaning: 'the command line is not one that skerry takes; see --help' },
  CONFIG_INVALID: {
    kind: 'invalid',
    meaning: 'a configuration value is missing or out of range; mend the value named',
  },
  FILE_UNREADABLE: {
    kind: 'unavailable',
    meaning: 'a file could not be read or written; check its path, rights and free space',
  },
  SECRET_EMPTY: { kind: 'invalid', meaning: 'key material is empty or over 64 KiB; give 1 to 65,536 bytes' },
  SHARE_COUNTS_INVALID: {
    kind: 'invalid',
    meaning: 'threshold and share counts break 2 <= t <= n < k <= 255',
  },
  FIELD_POINT_INVALID: {
    kind: 'invalid',
    meaning: 'a point is outside 1..255, repeated, or stands where it may not',
  },
  SHARE_LENGTH_INVALID: {
    kind: 'invalid',
    meaning: 'shares or contributions do not have the length the key asks for',
  },
  WINDOW_INVALID: { kind: 'invalid', meaning: 'the window is not a whole number of 64 to 2^24 bytes' },
  RISK_SCALE_INVALID: { kind: 'invalid', meaning: 'risk thresholds are not ascending within 0 to 1' },
  PEERS_INVALID: {
    kind: 'invalid',
    meaning: 'a file of peers is too large, not JSON or not of its shape; mend the entry named',
  },
  PLACE_UNKNOWN: { kind: 'invalid', meaning: 'no place of that name is known; give "City, CC" or "lat,lon"' },
  PLACE_INVALID: {
    kind: 'invalid',
    meaning:
      'a place is empty, too long, not printable or out of range; latitude is -90..90, longitude -180..180',
  },
  SIZING_INVALID: { kind: 'invalid', meaning: 'a sizing input is out of range' },
  // Placement and policy
  PLACEMENT_INFEASIBLE: {
    kind: 'refused',
    meaning:
      'the network cannot reach the level asked for; add nodes, trust or operators, or give --accept-reduced',
  },
  CERTIFICATE_INVALID: {
    kind: 'corrupt',
    meaning: 'a placement certificate does not follow from its own inputs',
  },
  RISK_BELOW_MINIMUM: { kind: 'refused', meaning: 'the risk asked for is below the configured minimum' },
  // Wire
  MESSAGE_TOO_LARGE: { kind: 'invalid', meaning: 'a message or record is over its size limit' },
  MESSAGE_MALFORMED: { kind: 'invalid', meaning: 'a message or record is not canonical or not of its shape' },
  SIGNATURE_INVALID: { kind: 'refused', meaning: 'a signature does not verify' },
  RECORD_INVALID: { kind: 'corrupt', meaning: 'a record contradicts itself, its path or its signatures' },
  RECORD_STALE: { kind: 'refused', meaning: 'a record is older than the one held' },
  RECORD_EQUIVOCATED: {
    kind: 'refused',
    meaning: 'a node has signed two different records with one sequence; the first is kept',
  },
  CLOCK_SKEWED: {
    kind: 'refused',
    meaning: "a record's time is too far ahead of this node's clock; set the clock that is wrong",
  },
  PROTOCOL_UNSUPPORTED: {
    kind: 'invalid',
    meaning: 'a peer speaks a version or message that this node does not know',
  },
  // Holder
  RATE_LIMITED: { kind: 'unavailable', meaning: 'too many requests from this peer; wait and try again' },
  QUOTA_EXCEEDED: {
    kind: 'refused',
    meaning: 'the holder keeps as much for this dealer as it is willing to',
  },
  OFFER_UNKNOWN: {
    kind: 'refused',
    meaning: 'no live offer stands behind this deposit; it expired or never was',
  },
  DEALER_REFUSED: {
    kind: 'refused',
    meaning: 'a message about a deal comes from a node that is not its dealer',
  },
  CORE_INVALID: { kind: 'corrupt', meaning: 'the key description breaks a rule of the protocol' },
  SHARE_MISMATCH: {
    kind: 'corrupt',
    meaning: 'a share does not yield the verification and mask keys named for it',
  },
  ACTIVATION_INVALID: { kind: 'corrupt', meaning: 'an activation lacks receipts or one of them is false' },
  AMENDMENT_INVALID: {
    kind: 'corrupt',
    meaning: 'an amendment does not follow the one before, or is not signed, accepted or allowed',
  },
  AMENDMENT_UNKNOWN: {
    kind: 'unavailable',
    meaning: 'the holder has not heard of the amendment yet; bring it the manifest',
  },
  NOMINATION_REFUSED: {
    kind: 'refused',
    meaning: 'the node holds another share of this key and can take no second one',
  },
  VOTE_REFUSED: {
    kind: 'refused',
    meaning: "the holder's own audits do not show it, or the repair budget or standbys do not allow it",
  },
  VOTES_MISSING: {
    kind: 'unavailable',
    meaning: 'too few holders voted for moving the point; its owner can move it alone',
  },
  REFRESH_MISMATCH: {
    kind: 'corrupt',
    meaning: 'the shares of a new epoch do not give the key; the epoch before stays in force',
  },
  REPAIR_PENDING: {
    kind: 'unavailable',
    meaning: 'the node is to hold this point, and its share is still being made again',
  },
  POINT_MOVED: {
    kind: 'refused',
    meaning: 'the point that this node held went to another node; the manifest says to which',
  },
  KEY_UNKNOWN: { kind: 'unavailable', meaning: 'this node knows no such key' },
  KEY_DESTROYED: { kind: 'refused', meaning: 'the owner has destroyed the key; nothing brings it back' },
  KEY_NOT_ACTIVE: { kind: 'unavailable', meaning: 'the key was offered and never activated' },
  EPOCH_MISMATCH: { kind: 'refused', meaning: 'the request is for another epoch than the active one' },
  CORE_MISMATCH: { kind: 'refused', meaning: 'the request names another key description than the one held' },
  THRESHOLD_MISMATCH: {
    kind: 'refused',
    meaning: 'the request names another threshold or length than the key has',
  },
  SET_INVALID: {
    kind: 'refused',
    meaning: 'the set of points is not t distinct ascending points of the key',
  },
  NOT_IN_SET: { kind: 'refused', meaning: 'the set of points does not contain this holder' },
  OPERATION_REFUSED: {
    kind: 'refused',
    meaning: 'the operation does not go with the point, its holder or the scheme',
  },
  GRANT_INVALID: {
    kind: 'refused',
    meaning: 'the grant is malformed, wrongly signed or not for this key or operation',
  },
  GRANT_EXPIRED: { kind: 'refused', meaning: 'the grant is not valid at this time' },
  GRANT_REVOKED: { kind: 'refused', meaning: "the key's owner has revoked the grant" },
  GRANT_USED_UP: { kind: 'refused', meaning: 'the grant has no uses left at this holder' },
  REQUEST_SIGNATURE_INVALID: {
    kind: 'refused',
    meaning: "the request is not signed by the grant's confirmation key, or a drill not by its share's",
  },
  REQUEST_NOT_FRESH: { kind: 'refused', meaning: "the request's time is too far from this holder's clock" },
  DELAY_PENDING: { kind: 'unavailable', meaning: "the key's delay has not passed since the announcement" },
  SHARE_CORRUPT: {
    kind: 'corrupt',
    meaning: "the holder's stored share no longer matches its verification key",
  },
  // Requester and dealer
  KEY_UNAVAILABLE: {
    kind: 'unavailable',
    meaning: 'fewer holders than the threshold answered; the message names who did not and why',
  },
  KEY_CORRUPT: {
    kind: 'corrupt',
    meaning: 'enough holders answered and no set of them gives the committed key',
  },
  DEPOSIT_FAILED: {
    kind: 'unavailable',
    meaning: 'too few holders confirmed their share; nothing was activated',
  },
  REVOCATION_PENDING: {
    kind: 'unavailable',
    meaning: 'too few holders know of the revocation yet; this node goes on telling them',
  },
  DESTRUCTION_PENDING: {
    kind: 'unavailable',
    meaning: 'too few holders have confirmed their deletion yet; this node goes on telling them',
  },
  // Sealed files
  SEALED_FILE_MALFORMED: {
    kind: 'corrupt',
    meaning: 'the file is not an age file with a skerry stanza, or it was cut or altered',
  },
  FILE_KEY_MISMATCH: { kind: 'corrupt', meaning: 'the key does not unwrap this file' },
  RECIPIENT_INVALID: {
    kind: 'invalid',
    meaning: 'a recipient is not one that age takes; give its public age1... line',
  },
  OUTPUT_EXISTS: {
    kind: 'refused',
    meaning: 'the output exists and is not a regular file, or would overwrite the input',
  },
  // Node
  HOME_INVALID: { kind: 'invalid', meaning: 'the home directory is missing, incomplete or not private' },
  PASSPHRASE_NEEDED: {
    kind: 'invalid',
    meaning: 'a passphrase is needed and none was given; give --passphrase-file, or type it at a terminal',
  },
  PASSPHRASE_INVALID: {
    kind: 'invalid',
    meaning: 'a passphrase is empty, too long, more than a line, or was typed in two ways',
  },
  PASSPHRASE_WRONG: { kind: 'invalid', meaning: "the passphrase does not open the home's keys" },
  SECRET_EXPOSED: { kind: 'invalid', meaning: 'others can read a file with a secret; chmod 600 it' },
  SWARM_KEY_INVALID: {
    kind: 'invalid',
    meaning: 'a swarm key is not three lines: /key/swarm/psk/1.0.0/, /base16/ and 64 hexadecimal digits',
  },
  STORE_FAILED: {
    kind: 'unavailable',
    meaning: 'the store could not be read or written; check disk space and rights',
  },
  STORE_CORRUPT: { kind: 'corrupt', meaning: 'a stored record fails its check' },
  PEER_UNREACHABLE: { kind: 'unavailable', meaning: 'a peer could not be dialled or its stream ended' },
  PEER_BARRED: {
    kind: 'refused',
    meaning: 'a peer sent too much that is malformed or over its rate; it is refused for a while',
  },
  DEADLINE_EXCEEDED: { kind: 'unavailable', meaning: 'no answer came within the deadline' },
  TOO_BUSY: { kind: 'unavailable', meaning: 'a queue is full; try again later' },
  DAEMON_DOWN: { kind: 'unavailable', meaning: 'no daemon runs in that home; start it with skerry run' },
  SHUTTING_DOWN: { kind: 'unavailable', meaning: 'the node is shutting down' },
} as const satisfies Record<string, { kind: ErrorKind; meaning: string; httpStatus?: number }>;

/** A stable error code; see docs/ERRORS.md. */
export type ErrorCode = keyof typeof errorTable;

/** Facts about an error, safe to log: never a secret. */
export type ErrorMetadata = Readonly<Record<string, string | number | boolean>>;

/**
 * Whether a string received from outside is one of our codes.
 *
 * @param code any string
 */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

/**
 * The one error class of Skerry. `kind` tells the caller what to do: mend the input (`invalid`), give up
 * (`refused`), try again (`unavailable`), or suspect a disk or a holder (`corrupt`). Bugs are `assert`s, not this.
 *
 * @example
 * throw new SkerryError('PLACE_UNKNOWN', 'no place is called "Atlantis"', { name: 'Atlantis' });
 */
export class SkerryError extends Error {
  /** Stable code, a key of `errorTable`. */
  readonly code: ErrorCode;
  /** What the caller should do. */
  readonly kind: ErrorKind;
  /** Facts, safe to log. */
  readonly metadata: ErrorMetadata;

  /**
   * @param code a key of `errorTable`
   * @param message what happened, for a person; the table's meaning when empty
   * @param metadata primitives only, never a secret
   * @param cause the error underneath, if any
   */
  constructor(code: ErrorCode, message = '', metadata: ErrorMetadata = {}, cause?: unknown) {
    super(message === '' ? errorTable[code].meaning : message, cause === undefined ? undefined : { cause });
    this.name = 'SkerryError';
    this.code = code;
    this.kind = errorTable[code].kind;
    this.metadata = metadata;
  }
}

/** Thrown by `assert`: a bug in Skerry, never a caller's mistake. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * Holds that `condition` is true from here on, or throws `AssertionError`: a bug.
 *
 * @param condition what must hold
 * @param message the rule that was broken, with no secret in it
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
