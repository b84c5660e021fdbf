import { createRequire } from 'node:module';
import { mapCentreLongitude } from '../../parameters.ts';

type Point = [x: number, y: number];

/** What is used of a d3-geo projection. */
type Projection = {
  (point: readonly [lon: number, lat: number]): Point | null;
  rotate(angles: readonly [number, number]): Projection;
  scale(scale: number): Projection;
  translate(offset: readonly [number, number]): Projection;
};

/** What d3-geo's path writes polygons to: the calls of a canvas. */
type PathContext = {
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
  arc(): void;
};

type Topology = { readonly objects: { readonly land: unknown } };

// None of the three brings types.
const require = createRequire(import.meta.url);
const { geoEquirectangular, geoPath } = require('d3-geo') as {
  geoEquirectangular: () => Projection;
  geoPath: (projection: Projection, context: PathContext) => (feature: unknown) => void;
};
const { feature } = require('topojson-client') as {
  feature: (topology: Topology, object: unknown) => unknown;
};

/** A plate carrée map of so many dots. */
export type WorldView = {
  /** Dots across, for 360 degrees. */
  readonly width: number;
  /** Dots down. */
  readonly height: number;
  /** Degrees of latitude at the upper edge. */
  readonly north: number;
};

function projectionOf({ width, north }: WorldView): Projection {
  return geoEquirectangular()
    .rotate([-mapCentreLongitude, 0])
    .scale(width / (2 * Math.PI))
    .translate([width / 2, (width * north) / 360]);
}

/**
 * Where a place is on a map, in dots from its upper left corner; it may be above or below the map.
 *
 * @param at degrees
 */
export function projectPlace(view: WorldView, at: { readonly lat: number; readonly lon: number }): Point {
  return projectionOf(view)([at.lon, at.lat]) ?? [0, 0];
}

/** The edges of all polygons of the world's land on a map. */
function landRings(view: WorldView): Point[][] {
  const topology = require('world-atlas/land-110m.json') as Topology;
  const rings: Point[][] = [];
  geoPath(projectionOf(view), {
    beginPath: () => {},
    moveTo: (x, y) => rings.push([[x, y]]),
    lineTo: (x, y) => rings.at(-1)!.push([x, y]),
    closePath: () => {},
    arc: () => {},
  })(feature(topology, topology.objects.land));
  return rings;
}

/**
 * The dots of a map that are land, by their centres: polygons filled line by line, inside where a line from the
 * left has crossed an odd number of edges. Coastlines are Natural Earth's, at 1:110 million.
 *
 * @param set called once for each dot of land
 */
export function drawLand(view: WorldView, set: (x: number, y: number) => void): void {
  const crossings: number[][] = Array.from({ length: view.height }, () => []);
  for (const ring of landRings(view)) {
    for (const [index, [x1, y1]] of ring.entries()) {
      const [x0, y0] = ring.at(index - 1)!;
      const from = Math.max(0, Math.ceil(Math.min(y0, y1) - 0.5));
      const to = Math.min(view.height, Math.ceil(Math.max(y0, y1) - 0.5));
      for (let y = from; y < to; y++) crossings[y]!.push(x0 + ((y + 0.5 - y0) / (y1 - y0)) * (x1 - x0));
    }
  }
  for (const [y, line] of crossings.entries()) {
    line.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < line.length; pair += 2) {
      const end = Math.min(view.width, Math.ceil(line[pair + 1]! - 0.5));
      for (let x = Math.max(0, Math.ceil(line[pair]! - 0.5)); x < end; x++) set(x, y);
    }
  }
}
