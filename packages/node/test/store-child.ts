import { openStore } from '../src/store.ts';

/** Writes batches until it is killed: batch i puts i under `a`, `b` and `c`, and says so once it is on disk. */
const store = await openStore(process.argv[2]!);
for (let i = 1; ; i++) {
  const value = new TextEncoder().encode(`${i}`.padStart(2_000));
  await store.batch(['a', 'b', 'c'].map(key => ({ type: 'put', key, value })));
  process.stdout.write(`${i}\n`);
}
