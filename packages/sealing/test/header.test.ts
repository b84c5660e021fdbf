import { equalBytes } from '@skerry/base';
import { Encrypter, Stanza } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { readSealedHeader } from '../index.ts';
import { headerBytesMax } from '../parameters.ts';
import { makeHeader } from '../src/header.ts';
import { ageIdentity, inFolder, key, keyId, piecesOf } from './fixtures.ts';

const malformed = { code: 'SEALED_FILE_MALFORMED' };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const keyIdText = Buffer.from(keyId).toString('base64').replace('=', '');

/** An age file of no bytes with these stanzas. */
function ageFileWith(...stanzas: Stanza[]): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient({ wrapFileKey: () => stanzas });
  return encrypter.encrypt(new Uint8Array(0));
}

async function madeWith(stanza: Partial<Stanza>): Promise<Uint8Array> {
  const body = new Uint8Array(32);
  return ageFileWith(new Stanza(stanza.args ?? ['skerry', keyIdText, 'A'.repeat(22)], stanza.body ?? body));
}

describe('a header', () => {
  test('names its key and gives the file key back', async () => {
    const { bytes, fileKey } = await makeHeader(keyId, key, []);
    const header = await readSealedHeader(piecesOf(bytes));
    expect(header.keyId).toEqual(keyId);
    expect(equalBytes(await header.unwrap(key), fileKey)).toBe(true);
  });

  test('has the stanza that docs/PROTOCOL.md asks for, and one for each recipient', async () => {
    await inFolder(async folder => {
      const { recipient } = await ageIdentity(folder);
      const { bytes } = await makeHeader(keyId, key, [recipient]);
      const lines = text(bytes).split('\n');
      expect(lines[0]).toBe('age-encryption.org/v1');
      expect(lines[1]).toMatch(
        new RegExp(`^-> skerry ${keyIdText.replaceAll('+', '\\+')} [A-Za-z0-9+/]{22}$`),
      );
      expect(lines[2]).toMatch(/^[A-Za-z0-9+/]{43}$/);
      expect(lines[3]).toMatch(/^-> X25519 /);
      expect(lines[5]).toMatch(/^--- [A-Za-z0-9+/]{43}$/);
    });
  });

  test('is different each time, file key and nonce too', async () => {
    const [a, b] = [await makeHeader(keyId, key, []), await makeHeader(keyId, key, [])];
    expect(a.fileKey).not.toEqual(b.fileKey);
    expect(text(a.bytes).split('\n')[1]).not.toBe(text(b.bytes).split('\n')[1]);
  });

  test('arrives in pieces of any length', async () => {
    const { bytes, fileKey } = await makeHeader(keyId, key, []);
    for (const pieceBytes of [1, 2, 7, bytes.length - 1, bytes.length]) {
      const header = await readSealedHeader(piecesOf(bytes, pieceBytes));
      expect(await header.unwrap(key)).toEqual(fileKey);
    }
  });

  test('leaves the rest of the source as its payload', async () => {
    const { bytes } = await makeHeader(keyId, key, []);
    for (const pieceBytes of [1, 5, 1000]) {
      const header = await readSealedHeader(
        piecesOf(Buffer.concat([bytes, Buffer.from('rest\n--- x')]), pieceBytes),
      );
      const rest: Uint8Array[] = [];
      for await (const piece of header.payload) rest.push(piece);
      expect(text(Buffer.concat(rest))).toBe('rest\n--- x');
    }
  });

  test('does not open with another key', async () => {
    const { bytes } = await makeHeader(keyId, key, []);
    const header = await readSealedHeader(piecesOf(bytes));
    await expect(header.unwrap(new Uint8Array(32))).rejects.toMatchObject({ code: 'FILE_KEY_MISMATCH' });
    await expect(header.unwrap(new Uint8Array(5))).rejects.toMatchObject({ code: 'FILE_KEY_MISMATCH' });
    await expect(header.unwrap(key)).resolves.toHaveLength(16);
  });

  test('with any one bit flipped is refused', async () => {
    const { bytes } = await makeHeader(keyId, key, []);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const unwrapped = readSealedHeader(piecesOf(flipped)).then(header => header.unwrap(key));
      const code = await unwrapped.catch((error: { code: string }) => error.code);
      expect(code, `bit ${bit}`).toMatch(/^(SEALED_FILE_MALFORMED|FILE_KEY_MISMATCH)$/);
    }
  });

  test('cut anywhere is refused', async () => {
    const { bytes } = await makeHeader(keyId, key, []);
    for (let length = 0; length < bytes.length; length++) {
      await expect(readSealedHeader(piecesOf(bytes.subarray(0, length)))).rejects.toMatchObject(malformed);
    }
  });

  test('is refused where a recipient was taken out or put in', async () => {
    const [a, b] = [await makeHeader(keyId, key, []), await madeWith({ args: ['grease', 'x'] })];
    const lines = text(a.bytes).split('\n');
    const added = [...lines.slice(0, 3), ...text(b).split('\n').slice(1, 3), ...lines.slice(3)].join('\n');
    const header = await readSealedHeader(piecesOf(Buffer.from(added)));
    await expect(header.unwrap(key)).rejects.toMatchObject(malformed);
  });
});

describe('what is not a sealed file', () => {
  test.each([
    ['nothing', ''],
    ['a text', 'Dear Sir,\n'],
    ['another version', 'age-encryption.org/v2\n-> skerry a b\n\n--- x\n'],
    ['an armoured file', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n'],
  ])('is refused: %s', async (_, file) => {
    await expect(readSealedHeader(piecesOf(Buffer.from(file)))).rejects.toMatchObject(malformed);
  });

  test.each<[string, Partial<Stanza>]>([
    ['another stanza only', { args: ['X25519', 'A'.repeat(43)] }],
    ['no nonce', { args: ['skerry', keyIdText] }],
    ['one argument more', { args: ['skerry', keyIdText, 'A'.repeat(22), 'A'] }],
    ['a short keyId', { args: ['skerry', 'A'.repeat(42), 'A'.repeat(22)] }],
    ['a padded keyId', { args: ['skerry', `${keyIdText}=`, 'A'.repeat(22)] }],
    ['a keyId in the URL alphabet', { args: ['skerry', `${'A'.repeat(41)}-A`, 'A'.repeat(22)] }],
    ['a nonce with bits beyond its end', { args: ['skerry', keyIdText, `${'A'.repeat(21)}B`] }],
    ['a short body', { body: new Uint8Array(31) }],
    ['a long body', { body: new Uint8Array(48) }],
  ])('is refused: an age file with %s', async (_, stanza) => {
    await expect(readSealedHeader(piecesOf(await madeWith(stanza)))).rejects.toMatchObject(malformed);
  });

  test('is refused: an age file with two skerry stanzas', async () => {
    const stanza = new Stanza(['skerry', keyIdText, 'A'.repeat(22)], new Uint8Array(32));
    await expect(readSealedHeader(piecesOf(await ageFileWith(stanza)))).resolves.toBeDefined();
    await expect(readSealedHeader(piecesOf(await ageFileWith(stanza, stanza)))).rejects.toMatchObject(
      malformed,
    );
  });

  test('is given up after the longest header, and its source ended', async () => {
    let pulled = 0;
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('age-encryption.org/v1\n');
        for (;;) {
          pulled += 1000;
          yield Buffer.alloc(1000, '-> skerry\n');
        }
      } finally {
        ended = true;
      }
    }
    await expect(readSealedHeader(endless())).rejects.toMatchObject(malformed);
    expect(pulled).toBeLessThanOrEqual(headerBytesMax + 1000);
    expect(ended).toBe(true);
  });
});

describe('recipients', () => {
  test('that age does not take are refused, and not repeated in the error', async () => {
    const secret = 'AGE-SECRET-KEY-1QQPQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ';
    for (const recipient of ['alice ', 'bob', 'age1bob', secret, 'ssh-ed25519 AAAA']) {
      const refusal = await makeHeader(keyId, key, [recipient]).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'RECIPIENT_INVALID', kind: 'invalid' });
      expect(String(refusal)).not.toContain(recipient);
    }
  });

  test('are refused where the header could not be read again', async () => {
    await inFolder(async folder => {
      const { recipient } = await ageIdentity(folder);
      const made = await makeHeader(keyId, key, Array<string>(666).fill(recipient));
      await expect(readSealedHeader(piecesOf(made.bytes))).resolves.toMatchObject({ keyId });
      await expect(makeHeader(keyId, key, Array<string>(667).fill(recipient))).rejects.toMatchObject({
        code: 'RECIPIENT_INVALID',
      });
    });
  });
});
