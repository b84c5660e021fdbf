import { at } from '@skerry/base';
import { type Case, compare, compareLatencies, quantile, timeMs } from './case.ts';
import type { Bench } from './network.ts';

/** Shares needed, holders asked first, holders: of each key here. */
export const counts = { t: 5, n: 7, k: 10 };

/** Bytes of the keys here. */
const keyBytes = 32;

/** Pause after a deal, ms: it leaves some work behind, during which nothing else is measured. */
const settleMs = 500;

async function dealOne({ peer }: Pick<Bench, 'peer'>): Promise<Uint8Array> {
  const slot = peer.reserveKey();
  await peer.deal(slot, new Uint8Array(keyBytes).fill(7), { risk: 'low', acceptReduced: false, counts });
  return slot.keyId;
}

/** Waits until what the deal of a key leaves to be done is done. */
async function settle({ peer }: Pick<Bench, 'peer'>, keyId: Uint8Array): Promise<void> {
  await peer.network.published(keyId);
  await new Promise(resolve => setTimeout(resolve, settleMs));
}

/**
 * Deals some keys, and waits until their records are in the DHT.
 *
 * @returns their ids
 */
export async function deal(bench: Pick<Bench, 'peer'>, count: number): Promise<Uint8Array[]> {
  const keyIds: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const keyId = await dealOne(bench);
    await settle(bench, keyId);
    keyIds.push(keyId);
  }
  return keyIds;
}

/** Both in turns, over some runs; `rest` is not measured, and comes after each of ours. */
async function inTurns(
  runs: number,
  times: number,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
  rest: () => Promise<void> = async () => undefined,
): Promise<[number[][], number[][]]> {
  const [mine, others]: [number[][], number[][]] = [[], []];
  for (let run = 0; run < runs; run++) {
    const pairs: [number, number][] = [];
    for (let i = 0; i < times; i++) {
      const ms = await timeMs(ours);
      await rest();
      pairs.push([ms, await timeMs(theirs)]);
    }
    mine.push(pairs.map(([ms]) => ms));
    others.push(pairs.map(([, ms]) => ms));
  }
  return [mine, others];
}

/**
 * Opens and deals from inside a node, against a bare echo of the same requests and answers on the same transport: as
 * many processes, asked as many at once, and every answer awaited.
 */
export async function custodyCases(bench: Bench): Promise<Case[]> {
  const { peer, echoes, exchanges, quick } = bench;
  const { t, k } = counts;
  const keyId = at(await deal(bench, 1), 0);
  for (let i = 0; i < (quick ? 60 : 400); i++) await peer.open(keyId); // the holders' code is compiled meanwhile
  const round = exchanges.of('round');
  const steps = ['offer', 'deposit', 'activate'].map(exchanges.of);
  exchanges.end();
  const [opens, openEchoes] = await inTurns(
    quick ? 3 : 9,
    quick ? 40 : 150,
    async () => peer.open(keyId),
    async () => echoes.ask(t, round),
  );
  let latest = keyId;
  const [deals, dealEchoes] = await inTurns(
    quick ? 3 : 5,
    quick ? 3 : 5,
    async () => {
      latest = await dealOne(bench);
    },
    async () => {
      for (const step of steps) await echoes.ask(k, step);
    },
    async () => settle(bench, latest),
  );
  const subject = `${t} of ${k},`;
  return [
    ...compareLatencies(
      `custody/open ${subject}`,
      opens,
      { name: `a bare echo of ${t}`, runs: openEchoes },
      0.25,
    ),
    ...compareLatencies(
      `custody/deal ${subject}`,
      deals,
      { name: `three bare echoes of ${k}`, runs: dealEchoes },
      null,
    ),
  ];
}

/** Opens and deals from inside a node against clevis with as many tang servers, which runs as whole processes. */
export async function clevisCases(bench: Bench): Promise<Case[]> {
  const { peer, tang, quick } = bench;
  const keyId = at(await deal(bench, 1), 0);
  const plaintext = new Uint8Array(keyBytes);
  const [opens, deals, decrypts, encrypts]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let run = 0; run < (quick ? 2 : 5); run++) {
    const times: number[] = [];
    for (let i = 0; i < 20; i++) times.push(await timeMs(async () => peer.open(keyId)));
    opens.push(quantile(times, 0.5));
    let latest = keyId;
    const dealMs = await timeMs(async () => {
      latest = await dealOne(bench);
    });
    deals.push(dealMs);
    await settle(bench, latest);
    if (tang === undefined) continue;
    let jwe = new Uint8Array();
    encrypts.push(
      await timeMs(async () => {
        jwe = new Uint8Array(await tang.encrypt(plaintext));
      }),
    );
    decrypts.push(await timeMs(async () => tang.decrypt(jwe)));
  }
  const peerOf = (name: string, values: number[]) => ({ name, values: tang && values });
  return [
    compare('custody/open, against clevis', 'ms', opens, peerOf('clevis decrypt', decrypts), 30),
    compare('custody/deal, against clevis', 'ms', deals, peerOf('clevis encrypt', encrypts), null),
  ];
}
