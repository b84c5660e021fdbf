import { measure } from '@skerry/entropy';
import { describe, expect, it } from 'vitest';
import { renderEntropySvg } from '../../src/render/entropy-svg.ts';

/** The elements of a document, or an error where it is not well-formed: tags nest, attributes and text are escaped. */
function elementsOf(xml: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  let rest = xml.trim();
  while (rest !== '') {
    const text = /^[^<>&]+|^&#\d+;/.exec(rest)?.[0];
    const [tag = '', close, name = '', empty] =
      /^<(\/?)([a-z]+)(?: [a-zA-Z0-9-]+="[^"<&]*")*(\/?)>/.exec(rest) ?? [];
    if (text === undefined && tag === '') throw new Error(`not XML: ${rest.slice(0, 60)}`);
    if (text === undefined && close === '/' && open.pop() !== name) throw new Error(`stray </${name}>`);
    if (text === undefined && close === '') {
      seen.push(name);
      if (empty === '') open.push(name);
    }
    rest = rest.slice((text ?? tag).length);
    if (open.length === 0 && rest !== '') throw new Error('more than one root');
  }
  return seen;
}

const bytes = Uint8Array.from({ length: 20_000 }, (_, index) =>
  index < 10_000 ? index % 4 : (index * index) >> 3,
);

describe('renderEntropySvg', () => {
  it('is well-formed, with title, axes, series, thresholds and legend', async () => {
    const svg = renderEntropySvg(await measure([bytes]), { title: 'sample.bin', mode: 'rolling' });
    const elements = elementsOf(svg);
    expect(elements[0]).toBe('svg');
    for (const name of ['title', 'polyline', 'polygon', 'line', 'text']) expect(elements).toContain(name);
    for (const text of [
      'Entropy of sample.bin',
      'bits per byte',
      'offset in the stream',
      '16 KiB',
      'medium risk from here on',
      '>high<',
    ]) {
      expect(svg).toContain(text);
    }
  });

  it('draws the series to scale', async () => {
    const report = await measure([bytes]);
    const svg = renderEntropySvg(report, { title: 'x', mode: 'rolling' });
    const points = /<polyline points="([^"]+)"/
      .exec(svg)![1]!
      .split(' ')
      .map(point => point.split(',').map(Number));
    expect(points).toHaveLength(2 * report.series.length);
    const [zero, eight] = [0, 8].map(bits =>
      Number(new RegExp(`y="([\\d.]+)"[^>]*>${bits}</text>`).exec(svg)![1]),
    );
    for (const [index, bits] of report.series.entries()) {
      const expected = zero! - 4.5 + ((eight! - zero!) * bits) / 8;
      expect(points[2 * index]![1]).toBeCloseTo(expected, 1);
    }
  });

  it('stays well-formed whatever the file is called', async () => {
    const report = await measure([bytes]);
    for (const title of [
      '<script>alert(1)</script>',
      '"&\'',
      '\u0000\u001b\u2028\ud800\ufffe',
      ']]>',
      'é'.repeat(500),
    ]) {
      const svg = renderEntropySvg(report, { title, mode: 'block' });
      expect(elementsOf(svg)).not.toContain('script');
      expect(svg).toSatisfy((text: string) => text.isWellFormed() && !/[^\P{C}\n]/u.test(text));
    }
  });

  it('says so where there is no estimate, and has room for a stream of one value', async () => {
    const short = renderEntropySvg(await measure([bytes.subarray(0, 255)]), { title: 'x', mode: 'rolling' });
    expect(elementsOf(short)).not.toContain('polyline');
    expect(short).toContain('no estimate under 256 bytes');
    const empty = renderEntropySvg(await measure([]), { title: 'x', mode: 'rolling' });
    expect(empty).not.toMatch(/NaN|Infinity/);
    const single = renderEntropySvg(await measure([bytes.subarray(0, 256)]), { title: 'x', mode: 'rolling' });
    expect(elementsOf(single)).toContain('polyline');
  });
});
