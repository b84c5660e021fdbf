/** Twelve peers in as many cities, each of its own operator, as a peers file has them. */
export const world = {
  peers: [
    ['Reykjavik', 64.14, -21.9, 'IS'],
    ['Sao Paulo', -23.55, -46.64, 'BR'],
    ['Tokyo', 35.69, 139.69, 'JP'],
    ['Nairobi', -1.28, 36.82, 'KE'],
    ['Frankfurt', 50.12, 8.68, 'DE'],
    ['San Francisco', 37.77, -122.42, 'US'],
    ['Sydney', -33.87, 151.21, 'AU'],
    ['Mumbai', 19.07, 72.88, 'IN'],
    ['Mexico City', 19.43, -99.13, 'MX'],
    ['Cape Town', -33.93, 18.42, 'ZA'],
    ['Singapore', 1.29, 103.85, 'SG'],
    ['Madrid', 40.42, -3.7, 'ES'],
  ].map(([name, lat, lon, country], index) => ({
    nodeId: `node-${index}`,
    location: { name, lat, lon, country } as Record<string, unknown>,
    operator: `operator-${index}` as string | null,
  })),
};
