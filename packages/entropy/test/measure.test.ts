import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMeter, measure, meterStream } from '../index.ts';
import { englishBytes, pseudorandomBytes } from './samples.ts';

test('measure reads a Node stream to its end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'skerry-entropy-'));
  try {
    const bytes = englishBytes(200_000);
    const path = join(directory, 'text');
    await writeFile(path, bytes);
    const report = await measure(createReadStream(path, { highWaterMark: 1001 }), { window: 1024 });
    expect(report).toEqual(await measure([bytes], { window: 1024 }));
    expect(report.bytes).toBe(200_000);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('the transform lets chunks through untouched, each after it was metered', async () => {
  const meter = createMeter({ window: 64 });
  const chunks = [pseudorandomBytes(100), new Uint8Array(0), pseudorandomBytes(1000, 2)];
  const copies = chunks.map(chunk => chunk.slice());
  const passed: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of meterStream(meter)(chunks)) {
    passed.push(chunk);
    bytes += chunk.length;
    expect(meter.report().bytes).toBe(bytes);
  }
  expect(passed).toEqual(copies);
  passed.forEach((chunk, i) => {
    expect(chunk).toBe(chunks[i]);
  });
});

test("a source's error passes through", async () => {
  async function* broken() {
    yield pseudorandomBytes(10);
    throw new Error('unplugged');
  }
  await expect(measure(broken())).rejects.toThrow('unplugged');
});
