import { fromHex, SkerryError, toHex } from '@skerry/base';
import type { Placement } from '@skerry/placement';
import type { KeyKeeper } from '../file-sealing.ts';
import type { KeyDocument } from '../key-document.ts';
import type { Daemon } from './client.ts';

function bytesIn(document: unknown, name: string): Uint8Array {
  const text = (Object(document) as Record<string, unknown>)[name];
  const bytes = typeof text === 'string' ? fromHex(text) : undefined;
  if (!bytes || bytes.length === 0) throw new SkerryError('MESSAGE_MALFORMED', `the daemon gave no ${name}`);
  return bytes;
}

/** Keys by way of a daemon, as `sealFile` and `unsealFile` want them. */
export function daemonKeys(daemon: Daemon): KeyKeeper & {
  /** The id of a key of this home. @throws KEY_UNKNOWN */
  readonly find: (name: string) => Promise<Uint8Array>;
} {
  return {
    reserveKey: async () => {
      const { document } = await daemon.call('reserve', {});
      return { keyId: bytesIn(document, 'keyId'), nonce: bytesIn(document, 'nonce') };
    },
    deal: async ({ keyId, nonce }, key, { counts, ...protection }) => {
      const slot = { keyId: toHex(keyId), nonce: toHex(nonce) };
      const { document } = await daemon.call('deal', { ...slot, ...protection, ...counts }, key);
      return document as { placement: Placement };
    },
    open: async (keyId, grant) => {
      const { document, secret } = await daemon.call('open', { key: toHex(keyId) }, grant);
      return { key: secret, sets: Number((document as { sets?: unknown }).sets) };
    },
    find: async name => bytesIn((await daemon.call('key', { key: name })).document, 'keyId'),
    raise: async (keyId, risk, acceptReduced) => {
      const { document } = await daemon.call('raise', { key: toHex(keyId), risk, acceptReduced });
      return document as KeyDocument;
    },
    succeed: async (keyId, successor) =>
      void (await daemon.call('succeed', { key: toHex(keyId), successor: toHex(successor) })),
  };
}
