import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fromHex } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import { unpackKey } from '@skerry/sharing';
import { describe, expect, test } from 'vitest';
import { makeVectors } from './vectors/make-type1.ts';
import frozen from './vectors/type1.json' with { type: 'json' };

const run = promisify(execFile);
const script = fileURLToPath(new URL('check-vectors.py', import.meta.url));

describe('the frozen vectors of type 1', () => {
  test('are what this code computes from the same inputs', () => {
    expect(makeVectors()).toEqual(frozen);
  });

  test('are what Python computes by itself from the protocol', async () => {
    const { stdout } = await run('python3', [script]);
    expect(stdout.trim()).toBe('195 checks hold');
  });

  test.each<[string, (vectors: typeof frozen) => void]>([
    ['a share', v => (v.cases[0]!.shares[1]!.y = `00${v.cases[0]!.shares[1]!.y.slice(2)}`)],
    [
      'a contribution',
      v => (v.cases[1]!.rounds[0]!.contributions[0] = v.cases[1]!.rounds[0]!.contributions[1]!),
    ],
    ['an epoch', v => v.cases[2]!.epoch--],
    ['a proof', v => (v.cases[0]!.shares[0]!.possession = v.cases[0]!.shares[1]!.possession)],
  ])('are refused by Python when %s is altered', async (_, alter) => {
    const altered = structuredClone(frozen);
    alter(altered);
    const folder = await mkdtemp(join(tmpdir(), 'skerry-vectors-'));
    try {
      await writeFile(join(folder, 'type1.json'), JSON.stringify(altered));
      await expect(run('python3', [script, join(folder, 'type1.json')])).rejects.toMatchObject({ code: 1 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('hold keys that unpack from their payloads', () => {
    for (const { payload, box, keyId, key } of frozen.cases) {
      const unpacked = unpackKey({
        crypto: nodeCrypto,
        payload: fromHex(payload)!,
        box: box === null ? null : fromHex(box)!,
        keyId: fromHex(keyId)!,
      });
      expect(unpacked).toEqual(fromHex(key));
    }
  });
});
