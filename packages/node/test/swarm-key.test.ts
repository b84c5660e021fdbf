import { describe, expect, test } from 'vitest';
import { parseSwarmKey } from '../src/swarm-key.ts';

const digits = '0123456789abcdef'.repeat(4);
const text = `/key/swarm/psk/1.0.0/\n/base16/\n${digits}`;

describe('a swarm key', () => {
  test.each([
    text,
    `${text}\n`,
    `${text.replaceAll('\n', '\r\n')}\r\n`,
    text.replace(digits, digits.toUpperCase()),
  ])('is the same whatever its case and line ends: %j', file =>
    expect(Buffer.from(parseSwarmKey(Buffer.from(file))).toString()).toBe(text),
  );

  test.each([
    '',
    digits,
    text.slice(0, -1),
    `${text}0`,
    `${text}\nmore`,
    text.replace('/base16/', '/base64/'),
    text.replace('1.0.0', '2.0.0'),
    text.replace('f', 'g'),
    ` ${text}`,
  ])('is refused where it is not of its form, and not repeated: %j', file => {
    const refused = expect.objectContaining({
      code: 'SWARM_KEY_INVALID',
      message: expect.not.stringContaining('0123'),
    });
    expect(() => parseSwarmKey(Buffer.from(file))).toThrow(refused);
  });
});
