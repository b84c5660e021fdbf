import { concatBytes, preimage, SkerryError, wipe } from '@skerry/base';
import { nodeCrypto, nodeRandom } from '@skerry/crypto';
import { Decrypter, Encrypter, Stanza } from 'age-encryption';
import { headerBytesMax } from '../parameters.ts';

const stanzaType = 'skerry';
const keyIdBytes = 32;
const wrapNonceBytes = 16;
const fileKeyBytes = 16;
/** The payload of an empty file: nonce (16) and one empty chunk's tag (16). */
const emptyPayloadBytes = 32;
/** What every line of a header but the last never begins with, and the last does (C2SP age, header MAC). */
const macLine = Buffer.from('\n--- ');
const newline = 0x0a;

/** A header to write, and the file key that its stanzas wrap. */
type MadeHeader = {
  /** The header with its MAC, up to and including its last newline. */
  readonly bytes: Uint8Array;
  /** 16 bytes, the caller's to wipe. */
  readonly fileKey: Uint8Array;
};

/**
 * Makes the header of an age v1 file (C2SP age) with a fresh file key, one skerry stanza and one stanza for each
 * ordinary recipient. The library makes all of it: an empty file is encrypted, a recipient of our own sees its file
 * key, and the 32 bytes of empty payload are dropped (docs/adr/0004-sealed-files.md).
 *
 * @param keyId 32 bytes
 * @param key K, 32 bytes; stays the caller's
 * @param recipients `age1...` strings, possibly none
 * @throws RECIPIENT_INVALID where age takes no such recipient, or there are more than a header may hold
 */
export async function makeHeader(
  keyId: Uint8Array,
  key: Uint8Array,
  recipients: readonly string[],
): Promise<MadeHeader> {
  let fileKey: Uint8Array = new Uint8Array(0);
  const encrypter = new Encrypter();
  encrypter.addRecipient({
    wrapFileKey: chosen => {
      fileKey = chosen;
      return [wrapFileKey(fileKey, keyId, key)];
    },
  });
  let file: Uint8Array;
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    file = await encrypter.encrypt(new Uint8Array(0));
  } catch (error) {
    wipe(fileKey);
    // Neither the recipient nor the library's message is repeated: it may be a secret key, given by mistake.
    throw new SkerryError('RECIPIENT_INVALID', '', { recipients: recipients.length }, error);
  }
  const bytes = file.subarray(0, -emptyPayloadBytes);
  if (bytes.length > headerBytesMax) {
    wipe(fileKey);
    throw new SkerryError('RECIPIENT_INVALID', 'more recipients than a header may hold', {
      recipients: recipients.length,
      headerBytesMax,
    });
  }
  return { bytes, fileKey };
}

/** The key that wraps one file key: fresh by its nonce, so that it seals one message only. */
function wrappingKey(key: Uint8Array, nonce: Uint8Array, keyId: Uint8Array): Uint8Array<ArrayBuffer> {
  return nodeCrypto.hkdf(key, nonce, preimage('file-wrap', keyId), 32);
}

/** The stanza [keyId, nonce, AEAD of the file key, aad keyId] (docs/PROTOCOL.md, sealed files). */
function wrapFileKey(fileKey: Uint8Array, keyId: Uint8Array, key: Uint8Array): Stanza {
  const nonce = nodeRandom.bytes(wrapNonceBytes);
  const wrapping = wrappingKey(key, nonce, keyId);
  try {
    const body = nodeCrypto.aeadSeal(wrapping, fileKey, keyId);
    return new Stanza([stanzaType, toBase64(keyId), toBase64(nonce)], body);
  } finally {
    wipe(wrapping);
  }
}

/** The start of a sealed file, read and well formed, but not yet authenticated: only K can do that. */
export type SealedHeader = {
  /** 32 bytes: names the key that opens the file. Anyone could have written it. */
  readonly keyId: Uint8Array;
  /**
   * The file key, owned by the caller, once the whole header is authentic.
   *
   * @param key K; stays the caller's
   * @throws FILE_KEY_MISMATCH where K does not unwrap the stanza
   * @throws SEALED_FILE_MALFORMED where it does and the header's MAC is wrong
   */
  readonly unwrap: (key: Uint8Array) => Promise<Uint8Array>;
  /** The rest of the source, to be iterated once. */
  readonly payload: AsyncIterable<Uint8Array>;
  /** Ends the source, read or not; again, does nothing. `openStream` calls it, whatever happens. */
  readonly close: () => Promise<void>;
};

/**
 * Reads the header of a sealed file and leaves the rest of the source unread, so that the key can be asked for over
 * the network meanwhile. What is returned is the caller's to give to `openStream` or to `close`: a source that waits
 * for ever may hold a file open. One that is no sealed file is ended here.
 *
 * @param source the file's bytes, in pieces of any length
 * @throws SEALED_FILE_MALFORMED where no age v1 header with exactly one skerry stanza ends within `headerBytesMax`
 * @throws whatever the source throws
 *
 * @example
 * const header = await readSealedHeader(readPieces('letter.sealed'));
 * const key = await fetchKey(header.keyId);
 * await openStream({ header, key, output: 'letter.txt' });
 */
export async function readSealedHeader(source: AsyncIterable<Uint8Array>): Promise<SealedHeader> {
  const pieces = source[Symbol.asyncIterator]();
  const close = async (): Promise<void> => {
    await pieces.return?.();
  };
  try {
    const { header, rest } = await takeHeader(pieces);
    const { keyId, nonce, body } = parseStanza(await stanzasOf(header));
    return {
      keyId,
      unwrap: key => unwrapFileKey(header, key, { keyId, nonce, body }),
      payload: continuation(rest, pieces),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function malformed(message: string, cause?: unknown): SkerryError {
  return new SkerryError('SEALED_FILE_MALFORMED', message, {}, cause);
}

async function takeHeader(
  pieces: AsyncIterator<Uint8Array>,
): Promise<{ header: Uint8Array; rest: Uint8Array }> {
  let seen = new Uint8Array(0);
  for (;;) {
    const macStart = Buffer.from(seen.buffer, 0, Math.min(seen.length, headerBytesMax)).indexOf(macLine);
    const end = macStart < 0 ? -1 : seen.indexOf(newline, macStart + macLine.length);
    if (end >= headerBytesMax || (end < 0 && seen.length >= headerBytesMax)) {
      throw malformed('the header is too long, or this is not a sealed file');
    }
    if (end >= 0) return { header: seen.subarray(0, end + 1), rest: seen.subarray(end + 1) };
    const next = await pieces.next();
    if (next.done === true) throw malformed('the file ends within its header, or is not a sealed file');
    seen = concatBytes(seen, next.value);
  }
}

async function* continuation(
  rest: Uint8Array,
  pieces: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  yield rest;
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/** The stanzas of a header, by the library's parser: an identity of our own sees them and claims none. */
async function stanzasOf(header: Uint8Array): Promise<readonly Stanza[]> {
  let stanzas: readonly Stanza[] = [];
  const decrypter = new Decrypter();
  decrypter.addIdentity({
    unwrapFileKey: found => {
      stanzas = found;
      return null;
    },
  });
  await decrypter.decryptHeader(header).catch(() => undefined); // always refused, here for want of a key
  return stanzas;
}

type WrappedFileKey = {
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly body: Uint8Array;
};

function parseStanza(stanzas: readonly Stanza[]): WrappedFileKey {
  const [stanza, ...others] = stanzas.filter(({ args }) => args[0] === stanzaType);
  if (stanza === undefined || others.length > 0) throw malformed('not an age file with one skerry stanza');
  const [, keyIdText, nonceText, ...more] = stanza.args;
  const keyId = fromBase64(keyIdText, keyIdBytes);
  const nonce = fromBase64(nonceText, wrapNonceBytes);
  const { body } = stanza;
  if (keyId === undefined || nonce === undefined || more.length > 0 || body.length !== 2 * fileKeyBytes) {
    throw malformed('the skerry stanza is malformed');
  }
  return { keyId, nonce, body };
}

async function unwrapFileKey(
  header: Uint8Array,
  key: Uint8Array,
  { keyId, nonce, body }: WrappedFileKey,
): Promise<Uint8Array> {
  const wrapping = wrappingKey(key, nonce, keyId);
  const fileKey = nodeCrypto.aeadOpen(wrapping, body, keyId);
  wipe(wrapping);
  if (fileKey === undefined) throw new SkerryError('FILE_KEY_MISMATCH');
  const decrypter = new Decrypter();
  decrypter.addIdentity({ unwrapFileKey: () => fileKey });
  try {
    return await decrypter.decryptHeader(header); // compares the MAC, and returns the same buffer
  } catch (error) {
    wipe(fileKey);
    throw malformed("the header's MAC is wrong", error);
  }
}

/** Unpadded standard base64 (RFC 4648 section 4), as age writes it. */
function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}

/** The bytes that an argument stands for, where it is their one encoding and they are `length` long. */
function fromBase64(text: string | undefined, length: number): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  return bytes.length === length && toBase64(bytes) === text ? bytes : undefined;
}
