import { createCipheriv, hkdfSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { decryptPayload, encryptPayload } from '../src/payload.ts';
import {
  ageIdentity,
  chunkBytes,
  headerLength,
  inFolder,
  patternOf,
  piecesOf,
  run,
  sealedChunkBytes,
} from './fixtures.ts';

const fileKey = patternOf(16);

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

const encrypt = (plaintext: Uint8Array): Promise<Buffer> =>
  collect(encryptPayload(fileKey, piecesOf(plaintext)));
const decrypt = (payload: Uint8Array, pieceBytes?: number): Promise<Buffer> =>
  collect(decryptPayload(fileKey, piecesOf(payload, pieceBytes)));

/** The code with which a payload is refused; undefined when it opens. */
function refusalOf(payload: Uint8Array): Promise<string | undefined> {
  return decrypt(payload).then(
    () => undefined,
    (error: { code: string }) => error.code,
  );
}

/** Nonce, then chunks. */
function cut(payload: Buffer): Buffer[] {
  const parts = [payload.subarray(0, 16)];
  for (let start = 16; start < payload.length; start += sealedChunkBytes) {
    parts.push(payload.subarray(start, start + sealedChunkBytes));
  }
  return parts;
}

describe('a payload', () => {
  test.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 3 * chunkBytes + 5])(
    'of %i bytes comes back, and has the length that age gives it',
    async length => {
      const plaintext = patternOf(length);
      const payload = await encrypt(plaintext);
      expect(payload.length).toBe(16 + length + 16 * Math.max(1, Math.ceil(length / chunkBytes)));
      expect(await decrypt(payload)).toEqual(Buffer.from(plaintext));
    },
  );

  test('comes back in pieces of any length', async () => {
    const plaintext = patternOf(2 * chunkBytes + 1);
    const payload = await encrypt(plaintext);
    for (const pieceBytes of [13, 16, 4096, chunkBytes, sealedChunkBytes, sealedChunkBytes + 16, 1 << 17]) {
      expect((await decrypt(payload, pieceBytes)).equals(plaintext)).toBe(true);
    }
  });

  test('that the age command made comes back', async () => {
    await inFolder(async folder => {
      const { path, recipient } = await ageIdentity(folder);
      const [input, output] = [join(folder, 'plain'), join(folder, 'age')];
      for (const length of [0, 1, chunkBytes, 2 * chunkBytes, 2 * chunkBytes + 1]) {
        const plaintext = patternOf(length);
        await writeFile(input, plaintext);
        await run('age', ['-r', recipient, '-o', output, input]);
        const file = await readFile(output);
        const decrypter = new Decrypter();
        decrypter.addIdentity(/AGE-SECRET-KEY-\S+/.exec(await readFile(path, 'utf8'))![0]);
        const ageFileKey = await decrypter.decryptHeader(file.subarray(0, headerLength(file)));
        const opened = await collect(decryptPayload(ageFileKey, piecesOf(file.subarray(headerLength(file)))));
        expect(opened.equals(plaintext)).toBe(true);
      }
    });
  });

  test('releases no byte of a chunk that does not verify', async () => {
    const payload = await encrypt(patternOf(3 * chunkBytes));
    payload[16 + 2 * sealedChunkBytes - 1]! ^= 1; // the second chunk's tag
    let released = 0;
    const reading = async (): Promise<void> => {
      for await (const chunk of decryptPayload(fileKey, piecesOf(payload))) released += chunk.length;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'SEALED_FILE_MALFORMED', metadata: { chunk: 1 } });
    expect(released).toBe(chunkBytes);
  });

  test('does not open under another file key', async () => {
    const payload = await encrypt(patternOf(10));
    const opening = collect(decryptPayload(patternOf(17).subarray(1), piecesOf(payload)));
    await expect(opening).rejects.toMatchObject({ code: 'SEALED_FILE_MALFORMED' });
  });
});

describe('a payload is refused', () => {
  test('with a bit flipped, in the nonce and at each edge of each chunk', async () => {
    const payload = await encrypt(patternOf(2 * chunkBytes + 100));
    const edges = [0, 15, 16];
    for (let end = 16 + sealedChunkBytes; end < payload.length; end += sealedChunkBytes) {
      edges.push(end - 17, end - 16, end - 1, end);
    }
    edges.push(payload.length - 17, payload.length - 16, payload.length - 1);
    for (const place of edges) {
      for (const mask of [1, 128]) {
        const flipped = Buffer.from(payload);
        flipped[place]! ^= mask;
        expect(await refusalOf(flipped), `byte ${place}`).toBe('SEALED_FILE_MALFORMED');
      }
    }
  });

  test('cut anywhere near the edge of a chunk', async () => {
    const payload = await encrypt(patternOf(2 * chunkBytes));
    for (const edge of [0, 16, 32, 16 + sealedChunkBytes, payload.length]) {
      for (let length = Math.max(0, edge - 18); length < Math.min(edge + 18, payload.length); length++) {
        expect(await refusalOf(payload.subarray(0, length)), `${length} bytes`).toBe('SEALED_FILE_MALFORMED');
      }
    }
  });

  test('with bytes after its end', async () => {
    for (const length of [0, 100, chunkBytes]) {
      const payload = await encrypt(patternOf(length));
      for (const more of [1, 16, 17, sealedChunkBytes]) {
        expect(await refusalOf(Buffer.concat([payload, Buffer.alloc(more)])), `${more} bytes more`).toBe(
          'SEALED_FILE_MALFORMED',
        );
      }
    }
  });

  test('with chunks swapped, doubled or left out', async () => {
    const [nonce, a, b, c] = cut(await encrypt(patternOf(3 * chunkBytes))) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    expect((await decrypt(Buffer.concat([nonce, a, b, c]))).length).toBe(3 * chunkBytes);
    for (const order of [[b, a, c], [a, c, b], [a, a, b, c], [a, c], [b, c], [a, b], [a, b, c, c], [c], []]) {
      expect(await refusalOf(Buffer.concat([nonce, ...order])), `${order.length} chunks`).toBe(
        'SEALED_FILE_MALFORMED',
      );
    }
  });

  test('with an empty last chunk after others, as a writer that pads could make', async () => {
    // Every tag in it is right: only the rule refuses it.
    const nonce = patternOf(16);
    const key = new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
    const chunk = (plaintext: Uint8Array, index: number, last: number): Buffer => {
      const chunkNonce = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, index, last]);
      const cipher = createCipheriv('chacha20-poly1305', key, chunkNonce, { authTagLength: 16 });
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    };
    const full = patternOf(chunkBytes);
    const empty = new Uint8Array(0);
    expect((await decrypt(Buffer.concat([nonce, chunk(full, 0, 0), chunk(full, 1, 1)]))).length).toBe(
      2 * chunkBytes,
    );
    expect(
      await refusalOf(Buffer.concat([nonce, chunk(full, 0, 0), chunk(empty, 1, 1)])),
      'an empty end',
    ).toBe('SEALED_FILE_MALFORMED');
  });
});
