/**
 * One echo, of the protocol that its argument names: answers each request on a stream with as many bytes as its first
 * four say. Prints its addresses.
 */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { lpStream } from '@libp2p/utils';
import { createLibp2p } from 'libp2p';

const [protocol = ''] = process.argv.slice(2);
const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
});
await libp2p.handle(protocol, async stream => {
  const messages = lpStream(stream);
  for (;;) {
    const request = await messages.read();
    await messages.write(new Uint8Array(request.getUint32(0)));
  }
});
console.log(JSON.stringify(libp2p.getMultiaddrs().map(String)));
