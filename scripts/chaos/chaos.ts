/** A network of daemons that are killed, and files that are sealed and opened in it all the time. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { main } from '@skerry/cli';
import { nodeRandom } from '@skerry/crypto';
import { type Daemon, makeHome, startDaemon } from '../cluster.ts';

/** Daemons at a time. */
export const nodeCount = 16;
/** Minutes between audits: an absence is borne for four of them, five seconds. */
const auditMinutes = '0.02';
/** Ms that a key is left alone after its holders changed: as long as a share takes to be made again, and more. */
const calmMs = 3_000;
/** Ms between two kills, at least, and for which the owner's node is off. */
const strikeMs = 2_000;
const withoutOwnerMs = 40_000;
const operationMsMax = 60_000;
const recoverMsMax = 60_000;
/** Files that are sealed at a time, and bytes of each. */
const filesMax = 8;
const fileBytes = 70_000;

type Node = { readonly home: string; daemon: Daemon | null };
type Sealed = { readonly keyId: string; readonly path: string; readonly plain: Uint8Array };
type KeyDocument = {
  readonly keyId: string;
  readonly level: string;
  readonly moved: number;
  readonly movedByVotes: number;
  readonly epoch: number;
  readonly holders: readonly { readonly nodeId: string }[];
};

/** What was counted. */
type Counts = Record<
  | 'sealed'
  | 'opened'
  | 'unavailable'
  | 'lost'
  | 'wrong'
  | 'hung'
  | 'repaired'
  | 'repairedWithoutOwner'
  | 'waitedForOwner'
  | 'notRecovered'
  | 'restarted'
  | 'replaced',
  number
>;

/** A generator of numbers from a seed (mulberry32): who dies is no secret. */
export function createDice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const pause = async (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Runs a command at a node's daemon, in this process. @returns its document, or the code of its error */
async function command(home: string, ...argv: string[]): Promise<Record<string, unknown> | string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough().resume()];
  const io = { stdin: Readable.from([]), stdout, stderr, env: {} };
  await main([...argv, '--home', home, '--json', '--quiet'], io);
  const text = String(stdout.read() ?? '{}');
  const document = JSON.parse(text) as Record<string, unknown> & {
    readonly error?: { readonly code: string };
  };
  return document.error ? document.error.code : document;
}

/** The network and what is sealed in it. */
export class Chaos {
  readonly counts: Counts = {
    sealed: 0,
    opened: 0,
    unavailable: 0,
    lost: 0,
    wrong: 0,
    hung: 0,
    repaired: 0,
    repairedWithoutOwner: 0,
    waitedForOwner: 0,
    notRecovered: 0,
    restarted: 0,
    replaced: 0,
  };
  readonly nodes: Node[] = [];
  readonly files: Sealed[] = [];
  readonly #moved = new Map<string, number>();
  /** Since when a key is not full, or is full again, by key. */
  readonly #thinSince = new Map<string, number>();
  readonly #calmSince = new Map<string, number>();
  readonly #folder: string;
  readonly #dice: (below: number) => number;
  readonly #tell: (line: string) => void;
  #homes = 0;
  #isOver = false;

  constructor(folder: string, dice: (below: number) => number, tell: (line: string) => void) {
    this.#folder = folder;
    this.#dice = dice;
    this.#tell = tell;
  }

  get owner(): Node {
    return this.nodes[0]!;
  }

  /** Where a few of the daemons listen. */
  #bootstrap(): string[] {
    return this.nodes.flatMap(({ daemon }) => daemon?.listen ?? []).slice(0, 4);
  }

  async #join(): Promise<Node> {
    const home = await makeHome(this.#folder, this.#homes++);
    await command(home, 'config', 'set', 'audit-minutes', auditMinutes);
    return { home, daemon: await startDaemon(home, this.#bootstrap(), 'ignore') };
  }

  async start(): Promise<void> {
    this.nodes.push(await this.#join());
    const others = Array.from({ length: nodeCount - 1 }, async () => this.#join());
    this.nodes.push(...(await Promise.all(others)));
    await this.#within(operationMsMax, async () => {
      const status = await command(this.owner.home, 'status');
      return typeof status !== 'string' && Number(status['alive']) >= nodeCount - 1;
    });
  }

  /** Waits until something holds; whether it did in time. */
  async #within(ms: number, holds: () => Promise<boolean>): Promise<boolean> {
    const endMs = performance.now() + ms;
    while (!(await holds())) {
      if (performance.now() > endMs) return false;
      await pause(200);
    }
    return true;
  }

  /** An operation that has to end in time. */
  async #timed<T>(work: Promise<T>): Promise<T | 'HUNG'> {
    const late = pause(operationMsMax).then(() => 'HUNG' as const);
    const came = await Promise.race([work, late]);
    if (came === 'HUNG') this.counts.hung += 1;
    return came;
  }

  async #seal(): Promise<void> {
    const plain = nodeRandom.bytes(fileBytes);
    const path = join(this.#folder, `file-${this.counts.sealed}`);
    await writeFile(path, plain);
    // medium keys heal while their owner's node is up; high ones without it too, one point in an epoch
    const risk = this.counts.sealed % 2 === 0 ? 'high' : 'medium';
    const argv = ['seal', path, '-o', `${path}.sealed`, '--risk', risk];
    const document = await this.#timed(command(this.owner.home, ...argv));
    await rm(path);
    if (typeof document === 'string') return void (this.counts.unavailable += 1);
    this.counts.sealed += 1;
    this.files.push({ keyId: String(document['keyId']), path: `${path}.sealed`, plain });
  }

  /** Opens a file and compares; a code where it does not open. */
  async #open(sealed: Sealed, home: string): Promise<string | null> {
    const out = `${sealed.path}.${Math.round(performance.now())}.out`;
    const document = await this.#timed(command(home, 'open', sealed.path, '-o', out));
    if (typeof document === 'string') return document;
    const isRight = (await readFile(out)).equals(sealed.plain);
    await rm(out);
    this.counts[isRight ? 'opened' : 'wrong'] += 1;
    return isRight ? null : 'WRONG';
  }

  /** Seals and opens until it is over, except while the owner's node is off. */
  async work(): Promise<void> {
    while (!this.#isOver) {
      if (this.owner.daemon === null) await pause(200);
      else if (this.files.length < filesMax) await this.#seal();
      else {
        const file = this.files[this.#dice(this.files.length)]!;
        if ((await this.#open(file, this.owner.home)) !== null) this.counts.unavailable += 1;
        await pause(50);
      }
    }
  }

  async #keys(): Promise<KeyDocument[]> {
    const shown = await Promise.all(
      this.files.map(async ({ keyId }) => command(this.owner.home, 'key', 'show', keyId)),
    );
    const keys = shown.flatMap(one => (typeof one === 'string' ? [] : [one as unknown as KeyDocument]));
    for (const key of keys) this.#watch(key);
    this.counts.repaired = [...this.#moved.values()].reduce((sum, moved) => sum + moved, 0);
    return keys;
  }

  /** Keeps since when a key is full, or is not; one that is not for too long is counted. */
  #watch({ keyId, epoch, moved, level }: KeyDocument): void {
    const [name, nowMs] = [`${keyId}/${epoch}`, performance.now()];
    if (level !== 'full' || this.#moved.get(name) !== moved) this.#calmSince.set(keyId, nowMs);
    this.#moved.set(name, moved);
    if (level === 'full') return void this.#thinSince.delete(keyId);
    const sinceMs = this.#thinSince.get(keyId) ?? nowMs;
    this.#thinSince.set(keyId, sinceMs);
    if (nowMs - sinceMs < recoverMsMax) return;
    this.#thinSince.set(keyId, nowMs);
    this.counts.notRecovered += 1;
    this.#tell(`${keyId.slice(0, 8)} is ${level} for too long`);
  }

  #isCalm({ keyId, level }: KeyDocument): boolean {
    return level === 'full' && performance.now() - (this.#calmSince.get(keyId) ?? 0) >= calmMs;
  }

  /** Waits until every key has all its holders, and for no longer than it may take. */
  async #recover(): Promise<void> {
    await this.#within(recoverMsMax + calmMs, async () => {
      const keys = await this.#keys();
      return keys.length === this.files.length && keys.every(key => this.#isCalm(key));
    });
  }

  async #restart(node: Node): Promise<void> {
    await node.daemon?.end();
    node.daemon = null;
    await pause(300 + this.#dice(2000));
    node.daemon = await startDaemon(node.home, this.#bootstrap(), 'ignore');
    this.counts.restarted += 1;
  }

  async #replace(index: number): Promise<void> {
    const node = this.nodes[index]!;
    await node.daemon?.end();
    node.daemon = null;
    this.nodes[index] = await this.#join();
    this.counts.replaced += 1;
  }

  /** One more node dies, if there is one that each of its keys can spare: the owner's only to be started again. */
  async #strike(): Promise<void> {
    await pause(strikeMs);
    const keys = await this.#keys();
    const index = this.#dice(nodeCount);
    const nodeId = this.nodes[index]!.daemon?.nodeId;
    const held = keys.filter(({ holders }) => holders.some(holder => holder.nodeId === nodeId));
    if (!held.every(key => this.#isCalm(key))) return;
    const isForGood = index !== 0 && this.#dice(2) === 0;
    this.#tell(`node ${index} ${isForGood ? 'goes for good' : 'is killed and started again'}`);
    if (isForGood) await this.#replace(index);
    else await this.#restart(this.nodes[index]!);
  }

  /** The owner's node is off, and a holder goes for good: those left vote for another. */
  async #withoutOwner(): Promise<void> {
    await this.#recover();
    // two missing are one too many for a quorum
    for (const file of this.files) if (!(await this.#isWhole(file))) this.counts.notRecovered += 1;
    const before = await this.#keys();
    const { owner } = this;
    // one point of an epoch may be moved without the owner, of a key of high risk
    const isHigh = ({ holders, movedByVotes }: KeyDocument): boolean =>
      holders.length >= 7 && movedByVotes === 0;
    const victims = before.filter(isHigh).map(({ holders }) => holders[this.#dice(holders.length)]!.nodeId);
    const index = this.nodes.findIndex(({ daemon }) => daemon !== null && victims.includes(daemon.nodeId));
    if (index < 1) return;
    const gone = this.nodes[index]!.daemon!.nodeId;
    const hit = before.filter(key => isHigh(key) && key.holders.some(({ nodeId }) => nodeId === gone));
    this.#tell(`node ${index} goes for good while the owner's node is off`);
    await owner.daemon?.end();
    owner.daemon = null;
    await this.#replace(index);
    await pause(withoutOwnerMs);
    owner.daemon = await startDaemon(owner.home, this.#bootstrap(), 'ignore');
    const waiting = new Set(hit.map(({ keyId }) => keyId));
    await this.#within(recoverMsMax, async () => {
      const keys = await this.#keys();
      for (const { keyId, movedByVotes, holders } of keys) {
        const isMoved = movedByVotes > 0 && !holders.some(({ nodeId }) => nodeId === gone);
        if (isMoved && waiting.delete(keyId)) this.counts.repairedWithoutOwner += 1;
      }
      return waiting.size === 0;
    });
    if (waiting.size > 0) this.#tell(`waited for their owner: ${[...waiting].join(', ')}`);
    // a quorum of all but one needs each of the others at hand: where one is slow too, the key waits for its owner
    this.counts.waitedForOwner += waiting.size;
    await this.#recover();
  }

  /** Kills nodes for a time, and has the owner's node off in the middle of it. */
  async strikeFor(ms: number): Promise<void> {
    const startMs = performance.now();
    const elapsedMs = (): number => performance.now() - startMs;
    while (elapsedMs() < ms / 2) await this.#strike();
    await this.#withoutOwner();
    while (elapsedMs() < ms) await this.#strike();
    this.#isOver = true;
  }

  /** Whether in time every holder of a key proves its share: nothing is left to be moved. */
  async #isWhole({ keyId }: Sealed): Promise<boolean> {
    return this.#within(recoverMsMax, async () => {
      const repaired = await command(this.owner.home, 'key', 'repair', keyId);
      return typeof repaired !== 'string' && (repaired['points'] as readonly unknown[]).length === 0;
    });
  }

  /** Every key has all its shares, proved by their holders, and opens to what was sealed; or is counted as lost. */
  async judge(): Promise<void> {
    await this.#recover();
    for (const file of this.files) {
      if (!(await this.#isWhole(file))) this.counts.notRecovered += 1;
      let code: string | null = 'UNTRIED';
      await this.#within(operationMsMax, async () => {
        code = await this.#open(file, this.owner.home);
        return code === null || code === 'WRONG';
      });
      if (code !== null && code !== 'WRONG') {
        this.counts.lost += 1;
        this.#tell(`${file.keyId} does not open: ${code}`);
      }
    }
    await this.#keys();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.nodes.map(async ({ daemon }) => daemon?.end()));
  }
}
