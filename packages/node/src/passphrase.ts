import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { assert, wipe } from '@skerry/base';
import { armor, Decrypter, Encrypter, Stanza } from 'age-encryption';
import { parameters } from '../parameters.ts';

const stanzaType = 'scrypt';
const label = Buffer.from('age-encryption.org/v1/scrypt');
const saltBytes = 16;
const fileKeyBytes = 16;
const tagBytes = 16;
const cipher = 'chacha20-poly1305';
/** Each wrapping key is derived with a salt of its own, so that it seals one message only. */
const nonce = new Uint8Array(12);
const armorStart = '-----BEGIN ';

/**
 * An armored age file under a passphrase (C2SP age, scrypt recipient stanza), as `age -d` opens it. The library makes
 * the file; the stanza is made here, since the library takes passphrases as strings, which nobody can wipe
 * (docs/adr/0007-passphrases.md).
 *
 * @param plaintext stays the caller's
 * @param passphrase at least a byte; stays the caller's
 * @param workFactor log2 of scrypt's N, 1 to `scryptWorkFactorMax`: memory and time double with each
 */
export async function encryptUnderPassphrase(
  plaintext: Uint8Array,
  passphrase: Uint8Array,
  workFactor: number,
): Promise<Buffer> {
  assert(workFactor >= 1 && workFactor <= parameters.scryptWorkFactorMax, 'a work factor that is read again');
  const encrypter = new Encrypter();
  encrypter.addRecipient({
    wrapFileKey: async fileKey => {
      const salt = randomBytes(saltBytes);
      const key = await wrappingKey(passphrase, salt, workFactor);
      try {
        const sealer = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes });
        const body = Buffer.concat([sealer.update(fileKey), sealer.final(), sealer.getAuthTag()]);
        return [new Stanza([stanzaType, toBase64(salt), String(workFactor)], body)];
      } finally {
        wipe(key);
      }
    },
  });
  return Buffer.from(armor.encode(await encrypter.encrypt(plaintext)), 'latin1');
}

/**
 * What an age file under a passphrase has in it, as `age -p` or `encryptUnderPassphrase` made it, armored or not.
 *
 * @param file anything
 * @param passphrase at least a byte; stays the caller's
 * @returns the plaintext, the caller's to wipe; undefined where the passphrase is another
 * @throws Error saying what is wrong with the file, before any work that its work factor asks for is begun
 */
export async function decryptUnderPassphrase(
  file: Uint8Array,
  passphrase: Uint8Array,
): Promise<Uint8Array | undefined> {
  const text = Buffer.from(file).toString('latin1');
  const bytes = text.startsWith(armorStart) ? armor.decode(text) : file;
  let isWrong = false;
  const decrypter = new Decrypter();
  decrypter.addIdentity({
    unwrapFileKey: async stanzas => {
      const fileKey = await unwrapFileKey(stanzas, passphrase);
      isWrong = fileKey === undefined;
      return fileKey ?? null;
    },
  });
  try {
    return await decrypter.decrypt(bytes);
  } catch (error) {
    if (isWrong) return undefined;
    throw error;
  }
}

/** The file key, or undefined where the passphrase does not unwrap it. */
async function unwrapFileKey(
  stanzas: readonly Stanza[],
  passphrase: Uint8Array,
): Promise<Uint8Array | undefined> {
  const [stanza, ...others] = stanzas;
  const [type, saltText = '', factorText = ''] = stanza?.args ?? [];
  if (stanza === undefined || type !== stanzaType || others.length > 0)
    throw new Error('it has no passphrase');
  const salt = Buffer.from(saltText, 'base64');
  const isWellFormed =
    stanza.args.length === 3 &&
    salt.length === saltBytes &&
    toBase64(salt) === saltText &&
    /^[1-9]\d{0,3}$/.test(factorText) &&
    stanza.body.length === fileKeyBytes + tagBytes;
  if (!isWellFormed) throw new Error('its scrypt stanza is malformed');
  const workFactor = Number(factorText);
  if (workFactor > parameters.scryptWorkFactorMax) {
    throw new Error(`its scrypt work factor is ${workFactor}, over ${parameters.scryptWorkFactorMax}`);
  }
  const key = await wrappingKey(passphrase, salt, workFactor);
  const opener = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes });
  opener.setAuthTag(stanza.body.subarray(fileKeyBytes));
  const fileKey = opener.update(stanza.body.subarray(0, fileKeyBytes));
  try {
    opener.final();
    return fileKey;
  } catch {
    wipe(fileKey);
    return undefined;
  } finally {
    wipe(key);
  }
}

/** Scrypt with age's constants: r 8, p 1, N a power of two (C2SP age, scrypt recipient stanza). */
async function wrappingKey(passphrase: Uint8Array, salt: Uint8Array, workFactor: number): Promise<Buffer> {
  assert(passphrase.length > 0, 'a passphrase has at least a byte');
  const [N, r] = [2 ** workFactor, 8];
  const maxmem = 128 * r * (N + 3); // what OpenSSL reckons that it takes
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(passphrase, Buffer.concat([label, salt]), 32, { N, r, p: 1, maxmem }, (error, key) => {
    if (error) reject(error);
    else resolve(key);
  });
  return promise;
}

/** Unpadded standard base64 (RFC 4648 section 4), as age writes it. */
function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
