import { type Candidate, planPlacement, regionOf } from '@skerry/placement';
import { describe, expect, it } from 'vitest';
import { unchosenShownMax } from '../../parameters.ts';
import { placedNodes, renderPlacement } from '../../src/render/placement.ts';
import { createPaint } from '../../src/render/text.ts';
import { world } from '../world.ts';

/** The world's peers, over and over. */
function candidatesOf(count: number): Candidate[] {
  return Array.from({ length: count }, (_, index) => {
    const { location, operator } = world.peers[index % world.peers.length]!;
    const { name, lat, lon, country } = location as Candidate['place'];
    return {
      nodeId: `node-${index}`,
      place: { name, lat, lon, country, region: regionOf(country) },
      operator,
      trust: 0.5,
      availability: 0.97,
    };
  });
}

const plan = (count: number) =>
  planPlacement({ candidates: candidatesOf(count), risk: 'high', profile: 'local', acceptReduced: false });

const show = (count: number, tableWidth?: number) =>
  renderPlacement(plan(count), {
    columns: 100,
    tableWidth,
    color: false,
    paint: createPaint(false),
    candidates: candidatesOf(count),
  });

describe('a placement for a terminal', () => {
  it('labels primaries by number, spares by capital, standbys by letter, and names the nearest holder', () => {
    const nodes = placedNodes(plan(12));
    expect(nodes.map(({ label }) => label).join(' ')).toBe('1 2 3 4 5 A B a b c d e');
    const holders = new Set(nodes.filter(({ role }) => role !== 'standby').map(({ label }) => label));
    for (const { label, nearest } of nodes) {
      expect(holders.has(nearest.label)).toBe(true);
      expect(nearest.label).not.toBe(label);
      expect(nearest.km).toBeGreaterThan(0);
    }
  });

  it('leaves nodes that were not chosen off the map where they are many', () => {
    expect(show(18)).toContain('∘ not chosen');
    expect(show(unchosenShownMax + 20)).not.toContain('∘');
  });

  it('fits a narrow terminal, without node ids', () => {
    const narrow = show(12, 80);
    const table = narrow.slice(narrow.indexOf('place'), narrow.indexOf('Survives'));
    expect(Math.max(...table.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
    expect(table).not.toContain('node-');
    expect(show(12)).toContain('node-');
  });
});
