/** Ways to spoil an encoding: its bytes, or the value that it stands for. */
import { decodeCanonical, type Encodable, encodeCanonical } from '@skerry/base';
import * as fc from 'fast-check';

const leaf: fc.Arbitrary<Encodable> = fc.oneof(
  fc.constantFrom<Encodable>(
    0,
    -1,
    1,
    23,
    24,
    255,
    256,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    null,
    true,
    false,
    '',
  ),
  fc.maxSafeInteger().map(value => value + 0),
  fc.uint8Array({ maxLength: 100 }),
  fc.constantFrom(32, 64, 16).map(length => new Uint8Array(length)),
  fc.string({ maxLength: 20 }).filter(value => value.isWellFormed() && !value.startsWith('\uFEFF')),
);

/** Any value that can be encoded, a few arrays deep. */
export const { encodables } = fc.letrec<{ encodables: Encodable }>(tie => ({
  encodables: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('encodables'), { maxLength: 8 })),
}));

/** Arrays in arrays, as deep as the bytes go. */
export const nestings: fc.Arbitrary<Uint8Array> = fc
  .record({ depth: fc.nat(100_000), open: fc.constantFrom(0x81, 0x82, 0x9f, 0xa1, 0xc1, 0x5f) })
  .map(({ depth, open }) => new Uint8Array(depth + 1).fill(open));

type ByteChange = {
  readonly kind: 'flip' | 'insert' | 'delete' | 'cut' | 'repeat';
  readonly at: number;
  readonly byte: number;
};

const byteChanges: fc.Arbitrary<ByteChange> = fc.record({
  kind: fc.constantFrom('flip', 'insert', 'delete', 'cut', 'repeat'),
  at: fc.nat(0xffff_ffff),
  byte: fc.nat(255),
});

function changeBytes(bytes: Uint8Array, { kind, at, byte }: ByteChange): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (kind) {
    case 'flip':
      return Uint8Array.from(bytes, (old, i) => (i === place ? old ^ (byte || 1) : old));
    case 'insert':
      return Buffer.concat([before, Uint8Array.of(byte), after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(1 + (byte % 4))]);
    case 'cut':
      return before;
    case 'repeat':
      return Buffer.concat([before, after, after]);
  }
}

/** One of the encodings, with a few of its bytes changed. */
export function spoiledBytes(encodings: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...encodings), fc.array(byteChanges, { minLength: 1, maxLength: 4 }))
    .map(([bytes, changes]) => new Uint8Array(changes.reduce(changeBytes, bytes)));
}

type ValueChange = {
  readonly kind: 'replace' | 'remove' | 'repeat' | 'swap' | 'step' | 'flip';
  readonly route: readonly number[];
  readonly value: Encodable;
};

const valueChanges: fc.Arbitrary<ValueChange> = fc.record({
  kind: fc.constantFrom('replace', 'remove', 'repeat', 'swap', 'step', 'flip'),
  route: fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }),
  value: encodables,
});

/** The array that an item is, or that the encoding in a byte string stands for (a message in its envelope). */
function arrayIn(item: Encodable | undefined): readonly Encodable[] | undefined {
  if (Array.isArray(item)) return item;
  if (!(item instanceof Uint8Array)) return undefined;
  try {
    const inner = decodeCanonical(item, 1_000_000);
    return Array.isArray(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

/** Follows the route down as far as there are arrays, and changes what it ends at. */
function changeValue(root: Encodable, change: ValueChange): Encodable {
  const [step, ...route] = change.route;
  if (Array.isArray(root) && root.length > 0 && step !== undefined) {
    const items: Encodable[] = [...root];
    const at = step % items.length;
    const inner = route.length > 0 ? arrayIn(items[at]) : undefined;
    if (inner !== undefined) {
      const changed = changeValue(inner, { ...change, route });
      items[at] = items[at] instanceof Uint8Array ? encodeCanonical(changed) : changed;
      return items;
    }
    return changeItem(items, at, change);
  }
  return change.value;
}

function changeItem(items: Encodable[], at: number, { kind, value }: ValueChange): Encodable {
  const item = items[at]!;
  const next = (at + 1) % items.length;
  if (kind === 'remove') items.splice(at, 1);
  else if (kind === 'repeat') items.splice(at, 0, item);
  else if (kind === 'swap') [items[at], items[next]] = [items[next]!, item];
  else if (kind === 'step' && Number.isSafeInteger(Number(item) + 1)) items[at] = Number(item) + 1;
  else if (kind === 'flip' && item instanceof Uint8Array) items[at] = item.map(byte => byte ^ 1);
  else items[at] = value;
  return items;
}

/** What one of the encodings stands for, with a part or two changed, encoded again. */
export function spoiledValues(encodings: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const values = encodings.map(bytes => decodeCanonical(bytes, 1_000_000));
  return fc
    .tuple(fc.constantFrom(...values), fc.array(valueChanges, { minLength: 1, maxLength: 2 }))
    .map(([value, changes]) => encodeCanonical(changes.reduce(changeValue, value)));
}
