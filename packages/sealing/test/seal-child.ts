/**
 * A process to kill or to starve: seals `bytes` to `output` in pieces of 64 KiB, and says `begun` on stdout once 8 MiB are
 * in. At the end it exits 0, or prints the error's code and exits 1.
 */
import { SkerryError } from '@skerry/base';
import { sealStream } from '../index.ts';

const [output, bytesText] = process.argv.slice(2) as [string, string];
const bytes = Number(bytesText);

async function* source(): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(65_536);
  for (let made = 0; made < bytes; made += piece.length) {
    if (made === 2 ** 23) await new Promise(done => process.stdout.write('begun\n', done));
    yield piece;
  }
}

try {
  const [keyId, key] = [new Uint8Array(32), new Uint8Array(32)];
  const sealed = await sealStream({ source: source(), output, keyId, key, recipients: [], meterOptions: {} });
  await sealed.commit();
} catch (error) {
  if (!(error instanceof SkerryError)) throw error;
  process.stdout.write(error.code);
  process.exitCode = 1;
}
