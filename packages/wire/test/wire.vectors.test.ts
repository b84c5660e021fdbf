import { fromHex } from '@skerry/base';
import { nodeCrypto as crypto } from '@skerry/crypto';
import {
  checkShareRecord,
  decodeAnswer,
  decodeManifest,
  decodeNodeRecord,
  decodeRequest,
} from '@skerry/wire';
import { describe, expect, test } from 'vitest';
import { checkManifestRecord } from '../src/manifest.ts';
import { exampleExchanges, exampleKey, exampleShareRecord, requestNames } from './examples.ts';
import { manifestOf } from './keys.ts';
import { makeVectors } from './vectors/make-wire.ts';
import frozen from './vectors/wire.json' with { type: 'json' };

const { records, requests, answers, texts } = frozen;

describe('the frozen vectors of the wire', () => {
  const made = makeVectors();
  const groups = Object.keys(frozen) as (keyof typeof frozen)[];

  test.each(groups)('are what this code makes of the same seeds: %s', group => {
    expect(made[group]).toEqual(frozen[group]);
  });

  test('are all that this code makes', () => {
    expect(Object.keys(made)).toEqual(groups);
  });

  test('hold as records at their paths', () => {
    expect(checkManifestRecord(crypto, texts.manifestPath, fromHex(records.manifest)!)).toEqual(
      manifestOf(exampleKey),
    );
    expect(decodeManifest(crypto, fromHex(records.boxedManifest)!).core.box).toHaveLength(116);
    expect(checkShareRecord(crypto, texts.shareRecordPath, fromHex(records.shareRecord)!)).toEqual(
      exampleShareRecord,
    );
    expect(decodeNodeRecord(crypto, fromHex(records.nodeRecord)!).operator).toBe('Example');
  });

  test.each(requestNames)('are read as the request %s and its answer', name => {
    const { body, answer } = exampleExchanges[name];
    expect(decodeRequest(fromHex(requests[name])!)).toEqual({ name, body });
    expect(decodeAnswer(name, fromHex(answers[name])!)).toEqual(answer);
  });
});
