import { SkerryError } from '@skerry/base';

const header = ['/key/swarm/psk/1.0.0/', '/base16/'];

/**
 * A swarm.key file as libp2p's pnet wants it: three lines, a version, a base and 256 bits (libp2p specs, pnet). What
 * libp2p makes of the first two lines is nothing, so they are held here.
 *
 * @param file anything; stays the caller's
 * @returns the same key in lower case and without a last newline, the caller's to wipe
 * @throws SWARM_KEY_INVALID
 */
export function parseSwarmKey(file: Uint8Array): Uint8Array {
  const lines = Buffer.from(file).toString('latin1').split(/\r?\n/);
  const [version, base, digits = '', ...rest] = lines;
  const isWellFormed =
    version === header[0] && base === header[1] && /^[0-9a-f]{64}$/i.test(digits) && rest.join('') === '';
  if (!isWellFormed) throw new SkerryError('SWARM_KEY_INVALID');
  return new Uint8Array(Buffer.from([...header, digits.toLowerCase()].join('\n'), 'latin1'));
}
