import { fileURLToPath } from 'node:url';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { lpStream } from '@libp2p/utils';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { startChild } from '../cluster.ts';
import type { Exchange } from './exchanges.ts';

/** libp2p protocol of the echo. */
const echoProtocol = '/skerry-bench/echo/1';

const program = fileURLToPath(new URL('./echo-child.ts', import.meta.url));

/** Processes that answer with bytes alone, over a kept stream each. */
export type Echoes = {
  /**
   * Sends a request to several of them at once and waits for every answer.
   *
   * @param count processes asked
   * @param exchange bytes of each request, at least 4, and of each answer
   */
  readonly ask: (count: number, exchange: Exchange) => Promise<void>;
  readonly end: () => Promise<void>;
};

/**
 * Starts echoes, each in a process of its own, over the transport that Skerry has: TCP, noise, yamux. Nothing else
 * runs on them: no DHT, no gossip, no disk, no cryptography beyond the connection's.
 *
 * @param count of them
 */
export async function startEchoes(count: number): Promise<Echoes> {
  const children = await Promise.all(
    Array.from({ length: count }, async () => startChild([program, echoProtocol])),
  );
  const libp2p = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
  const streams = await Promise.all(
    children.map(async ({ line }) => {
      const addresses = (JSON.parse(line) as string[]).map(address => multiaddr(address));
      return lpStream(await libp2p.dialProtocol(addresses, echoProtocol));
    }),
  );
  return {
    ask: async (asked, { requestBytes, answerBytes }) => {
      const request = new Uint8Array(requestBytes);
      new DataView(request.buffer).setUint32(0, answerBytes);
      await Promise.all(
        streams.slice(0, asked).map(async stream => {
          await stream.write(request);
          await stream.read();
        }),
      );
    },
    end: async () => {
      await libp2p.stop();
      await Promise.all(children.map(async child => child.end()));
    },
  };
}
