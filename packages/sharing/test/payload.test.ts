import { preimage, wipe } from '@skerry/base';
import { nodeCrypto as crypto, nodeRandom as random } from '@skerry/crypto';
import { commitPayload, packKey, unpackKey } from '@skerry/sharing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blindingBytes, keyBytesMax, payloadBytesMax, plainKeyBytesMax } from '../parameters.ts';

const coded = (code: string) => expect.objectContaining({ code });
const keyId = new Uint8Array(32).fill(1);
const pack = (key: Uint8Array) => packKey({ crypto, random, key, keyId });

describe('packKey and unpackKey', () => {
  test('give back the key, boxed or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), key => {
        const { payload, box } = pack(key);
        expect(unpackKey({ crypto, payload, box, keyId })).toEqual(key);
        expect(box === null).toBe(key.length <= plainKeyBytesMax);
        expect(payload.length).toBe((box === null ? key.length : 32) + blindingBytes);
      }),
    );
  });

  test('take one byte and 65,536 bytes', () => {
    for (const length of [1, plainKeyBytesMax, plainKeyBytesMax + 1, keyBytesMax]) {
      const key = random.bytes(length);
      expect(unpackKey({ crypto, ...pack(key), keyId })).toEqual(key);
    }
  });

  test.each([0, keyBytesMax + 1])('refuse a key of %i bytes', length => {
    expect(() => pack(new Uint8Array(length))).toThrow(coded('SECRET_EMPTY'));
  });

  test('keep no hold of the buffers given', () => {
    const key = new Uint8Array(16).fill(5);
    const { payload, box } = pack(key);
    wipe(key);
    const unpacked = unpackKey({ crypto, payload, box, keyId });
    wipe(payload);
    expect(unpacked).toEqual(new Uint8Array(16).fill(5));
  });

  test('refuse a payload that is too short to hold r, or too long', () => {
    for (const length of [0, 32, payloadBytesMax + 1]) {
      const payload = new Uint8Array(length);
      expect(() => unpackKey({ crypto, payload, box: null, keyId })).toThrow(coded('SHARE_LENGTH_INVALID'));
    }
  });

  test('refuse a box under another key, for another keyId, altered, or no box at all', () => {
    const { payload, box } = pack(random.bytes(100));
    const altered = new Uint8Array(box!);
    altered[3]! ^= 1;
    const otherPayload = new Uint8Array(payload);
    otherPayload[0]! ^= 1;
    const attempts = [
      { payload, box: altered, keyId },
      { payload, box: box!.subarray(1), keyId },
      { payload, box: new Uint8Array(0), keyId },
      { payload, box, keyId: new Uint8Array(32) },
      { payload: otherPayload, box, keyId },
      { payload: payload.slice(1), box, keyId },
    ];
    for (const attempt of attempts) {
      expect(() => unpackKey({ crypto, ...attempt })).toThrow(coded('KEY_CORRUPT'));
    }
  });

  test('refuse a box around a key that would not have been boxed', () => {
    const payload = random.bytes(64);
    const seal = (key: Uint8Array) => crypto.aeadSeal(payload.slice(0, 32), key, preimage('box', keyId));
    const key = random.bytes(plainKeyBytesMax + 1);
    expect(unpackKey({ crypto, payload, box: seal(key), keyId })).toEqual(key);
    for (const length of [0, plainKeyBytesMax, keyBytesMax + 1]) {
      const box = seal(new Uint8Array(length));
      expect(() => unpackKey({ crypto, payload, box, keyId })).toThrow(coded('KEY_CORRUPT'));
    }
  });
});

describe('commitPayload', () => {
  const payload = random.bytes(48);
  const commit = (inputs: Partial<Parameters<typeof commitPayload>[1]>) =>
    commitPayload(crypto, { keyId, originEpoch: 1, payload, ...inputs });

  test('binds keyId, epoch and payload', () => {
    const altered = new Uint8Array(payload);
    altered[47]! ^= 1;
    expect(commit({})).toEqual(commit({}));
    for (const other of [
      { keyId: new Uint8Array(32) },
      { originEpoch: 2 },
      { payload: altered },
      { payload: payload.slice(1) },
    ]) {
      expect(commit(other)).not.toEqual(commit({}));
    }
  });

  test('says nothing about a short key: of one byte, each try has its own 256 random bits', () => {
    const key = Uint8Array.of(0x2a);
    const [a, b] = [pack(key), pack(key)];
    expect(commit({ payload: a.payload })).not.toEqual(commit({ payload: b.payload }));
    // What the attack of brute force would need: a commitment to the key alone. It is refused.
    expect(() => commit({ payload: key })).toThrow(coded('SHARE_LENGTH_INVALID'));
    // And with the r of another dealing, no guess of the key fits.
    for (let guess = 0; guess < 256; guess++) {
      const guessed = new Uint8Array(b.payload);
      guessed[0] = guess;
      expect(commit({ payload: guessed })).not.toEqual(commit({ payload: a.payload }));
    }
  });
});
