/**
 * A node that dies by SIGKILL at the point that it is told: before or after a change of its store, or when a frame
 * passes. It reads commands from standard input and answers on standard output, a line of JSON each.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { SkerryError, toHex } from '@skerry/base';
import { ClassicLevel } from 'classic-level';
import { createPeer } from '../src/peer.ts';
import type { CrashPoint } from './crashing.ts';
import { until } from './hosts.ts';
import { peerOptions } from './peers.ts';

/** How a command is told. */
export type Command =
  /** Where to die; with a key id, in hexadecimal, only changes of that key count. */
  | { readonly do: 'arm'; readonly point: CrashPoint; readonly keyId?: string }
  | { readonly do: 'deal'; readonly key: string }
  | { readonly do: 'destroy'; readonly keyId: string }
  | { readonly do: 'refresh'; readonly keyId: string }
  | { readonly do: 'move'; readonly keyId: string; readonly x: number }
  | { readonly do: 'open'; readonly keyId: string }
  | { readonly do: 'owned'; readonly keyId: string }
  /** Waits until all that was to be told is told. */
  | { readonly do: 'settle' };

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '' },
    index: { type: 'string', default: '' },
    capacity: { type: 'string', default: '' },
    bootstrap: { type: 'string', multiple: true, default: [] },
  },
});

let armed: CrashPoint | undefined;
let armedKeyId = '';
let count = 0;

/** Dies here if this is the point. */
function pass(kind: CrashPoint['kind'], when: CrashPoint['when']): void {
  if (armed?.kind === kind && armed.when === when && count === armed.number)
    process.kill(process.pid, 'SIGKILL');
}

/** The database of this node's store. */
const levels: ClassicLevel<string, Uint8Array>[] = [];
type Batch = (this: object, changes: { readonly key: string }[], options: object) => Promise<void>;
const { batch } = ClassicLevel.prototype as unknown as { batch: Batch };
/** Announcements and audit lines are written at any time, and are no steps of anything. */
const steps = /^(key|held|notice|grant)\//;
const watched: Batch = async function (changes, options) {
  levels[0] = this as ClassicLevel<string, Uint8Array>;
  const isStep = changes.some(({ key }) => steps.test(key) && key.includes(armedKeyId));
  if (!isStep) return batch.call(this, changes, options);
  if (armed?.kind === 'disk') count++;
  pass('disk', 'before');
  await batch.call(this, changes, options);
  pass('disk', 'after');
};
Object.assign(ClassicLevel.prototype, { batch: watched });

const peer = await createPeer(
  peerOptions(values.root, Number(values.index), {
    bootstrap: values.bootstrap,
    capacity: Number(values.capacity),
    onFrame: () => {
      if (armed?.kind === 'frame') count++;
      pass('frame', 'before');
    },
  }),
);

const keyIdIn = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

async function carryOut(command: Command): Promise<object> {
  switch (command.do) {
    case 'arm':
      armed = command.point;
      armedKeyId = command.keyId ?? '';
      count = 0;
      return {};
    case 'deal': {
      const slot = peer.reserveKey();
      process.stdout.write(`${JSON.stringify({ keyId: toHex(slot.keyId) })}\n`);
      const counts = { t: 2, n: 3, k: 4 };
      await peer.deal(slot, keyIdIn(command.key), { risk: 'low', acceptReduced: true, counts });
      return {};
    }
    case 'destroy': {
      const { acknowledged, needed } = await peer.destroy(keyIdIn(command.keyId));
      return { acknowledged, needed };
    }
    case 'refresh':
      await peer.refresh(keyIdIn(command.keyId), {});
      return {};
    case 'move':
      await peer.move(keyIdIn(command.keyId), command.x, 'moved');
      return {};
    case 'open': {
      const { key } = await peer.open(keyIdIn(command.keyId));
      return { key: toHex(key) };
    }
    case 'owned': {
      const owned = peer.keys.get(keyIdIn(command.keyId));
      if (!owned) return { owned: false, destroyed: false };
      const { core, amendments } = owned.manifest;
      const now = { epoch: core.epoch, moved: amendments.length };
      return { owned: true, destroyed: owned.tombstone !== null, ...now };
    }
    case 'settle':
      for (const { manifest, tombstone } of await peer.keys.list()) {
        if (!tombstone) await until(async () => peer.settle(manifest.core.keyId));
      }
      while (((await levels[0]?.keys({ gte: 'notice/', lt: 'notice0' }).all()) ?? []).length > 0) {
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      return {};
  }
}

await until(() => {
  const known = peer.candidates();
  return known.length >= values.bootstrap.length && known.every(({ nodeId }) => peer.isAlive(nodeId));
});
process.stdout.write(`${JSON.stringify({ nodeId: peer.nodeId })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await carryOut(JSON.parse(line) as Command).catch((error: unknown) => {
    if (error instanceof SkerryError) return { error: error.code };
    throw error;
  });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await peer.close();
