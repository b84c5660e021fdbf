/** Mean radius R1 of the Earth in km (IUGG; Moritz, Geodetic Reference System 1980, J. Geodesy 74, 2000). */
export const earthRadiusKm = 6371.0088;

/** A point on the globe: degrees north -90..90, degrees east -180..180 (WGS 84). */
export type Coordinates = {
  readonly lat: number;
  readonly lon: number;
};

/**
 * Length of the shortest way along the surface of a sphere, by the haversine formula (Sinnott, Virtues of the
 * Haversine, 1984), which keeps its precision for near points. The Earth is flattened, so the true distance differs
 * by up to 0.6 %: far less than what a place is rounded to matters here. A metric (docs/PROTOCOL.md, placement).
 *
 * @param a degrees
 * @param b degrees
 * @returns kilometres, 0 to half the circumference (20,015)
 */
export function greatCircleKm(a: Coordinates, b: Coordinates): number {
  const radians = Math.PI / 180;
  const sinLat = Math.sin(((b.lat - a.lat) * radians) / 2);
  const sinLon = Math.sin(((b.lon - a.lon) * radians) / 2);
  const haversine = sinLat * sinLat + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * sinLon * sinLon;
  return 2 * earthRadiusKm * Math.asin(Math.sqrt(Math.min(1, haversine)));
}
