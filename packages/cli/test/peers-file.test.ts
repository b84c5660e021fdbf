import { truncateSync, writeFileSync } from 'node:fs';
import { SkerryError } from '@skerry/base';
import type { Gazetteer, Place } from '@skerry/placement';
import { describe, expect, it } from 'vitest';
import { namedPlacesMax, peersFileBytesMax, peersMax } from '../parameters.ts';
import { readPeersFile } from '../src/peers-file.ts';
import { createFolder } from './folder.ts';

/** A gazetteer of one island, that counts how often it is asked. */
function createIsland() {
  let asked = 0;
  const place: Place = { name: 'Surtsey', lat: 63.3, lon: -20.6, country: 'IS', region: '154' };
  const gazetteer: Gazetteer = {
    resolve: text => {
      asked += 1;
      if (text === 'Atlantis') throw new SkerryError('PLACE_UNKNOWN', 'no place is known as "Atlantis"');
      return { place, alternatives: [] };
    },
    labelOf: () => 'Surtsey, IS',
  };
  return { place, gazetteer, asked: () => asked };
}

async function readText(text: string, island = createIsland()) {
  using folder = createFolder();
  writeFileSync(folder.path('peers.json'), text);
  return await readPeersFile(folder.path('peers.json'), {
    trust: {},
    loadGazetteer: async () => island.gazetteer,
  });
}

const read = (document: unknown, island = createIsland()) => readText(JSON.stringify(document), island);

const peer = { nodeId: 'a', location: { name: 'x', lat: 1, lon: 2, country: 'IS', region: '999' } };

describe('readPeersFile', () => {
  it('counts a node whose claim is refuted where the file says, in a region of all such nodes', async () => {
    const countsAs = { lat: 50, lon: 8, region: '154' };
    const { candidates } = await read({ peers: [{ ...peer, countsAs }] });
    const place = { name: 'x', lat: 50, lon: 8, country: 'IS', region: 'refuted' };
    expect(candidates[0]).toMatchObject({ place });
    const { candidates: believed } = await read({ peers: [{ ...peer, countsAs: null }] });
    expect(believed[0]).toMatchObject({ place: { lat: 1, lon: 2, region: '154' } });
    await expect(read({ peers: [{ ...peer, countsAs: { lat: 91, lon: 0 } }] })).rejects.toMatchObject({
      code: 'PEERS_INVALID',
      metadata: { where: 'peers[0].countsAs.lat' },
    });
  });

  it('fills in what an entry leaves out, and takes the region from the country', async () => {
    expect(await read({ peers: [{ ...peer, software: 'ignored' }] })).toEqual({
      simulated: false,
      candidates: [
        {
          nodeId: 'a',
          place: { name: 'x', lat: 1, lon: 2, country: 'IS', region: '154' },
          operator: null,
          trust: 0.5,
          availability: 0.97,
        },
      ],
    });
  });

  it('takes places by name, each looked up once', async () => {
    const island = createIsland();
    const peers = ['a', 'b', 'c'].map(nodeId => ({ nodeId, location: 'Surtsey, IS', operator: '' }));
    const { candidates } = await read({ peers }, island);
    expect(candidates.map(({ place, operator }) => ({ place, operator }))).toEqual(
      peers.map(() => ({ place: island.place, operator: null })),
    );
    expect(island.asked()).toBe(1);
  });

  it.each<[string, unknown]>([
    ['peers.json', []],
    ['peers.json', null],
    ['peers.json', { nodes: [] }],
    ['peers', { peers: Array.from({ length: peersMax + 1 }, () => peer) }],
    ['simulated', { peers: [], simulated: 'no' }],
    ['peers[0]', { peers: [null] }],
    ['peers[0].nodeId', { peers: [{ ...peer, nodeId: '' }] }],
    ['peers[0].nodeId', { peers: [{ ...peer, nodeId: 'x'.repeat(129) }] }],
    ['peers[1].nodeId', { peers: [peer, peer] }],
    ['peers[0].operator', { peers: [{ ...peer, operator: 7 }] }],
    ['peers[0].operator', { peers: [{ ...peer, operator: 'x'.repeat(65) }] }],
    ['peers[0].location', { peers: [{ nodeId: 'a' }] }],
    ['peers[0].location.lat', { peers: [{ ...peer, location: { ...peer.location, lat: null } }] }],
    ['peers[0].location.lat', { peers: [{ ...peer, location: { ...peer.location, lat: 91 } }] }],
    ['peers[0].location.lon', { peers: [{ ...peer, location: { ...peer.location, lon: -181 } }] }],
    [
      'peers[0].location.name',
      { peers: [{ ...peer, location: { ...peer.location, name: 'x'.repeat(129) } }] },
    ],
    ['peers[0].location.country', { peers: [{ ...peer, location: { ...peer.location, country: 'ISL' } }] }],
    ['peers[0].trust', { peers: [{ ...peer, trust: 1.01 }] }],
    ['peers[0].trust', { peers: [{ ...peer, trust: '1' }] }],
    ['peers[0].availability', { peers: [{ ...peer, availability: -0.1 }] }],
    [
      `peers[${namedPlacesMax}].location`,
      { peers: Array.from({ length: namedPlacesMax + 1 }, (_, i) => ({ nodeId: `${i}`, location: `${i}` })) },
    ],
  ])('refuses and names %s', async (where, document) => {
    const error = await read(document).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'PEERS_INVALID', metadata: { where: expect.any(String) } });
    expect(String((error as SkerryError).metadata['where']).endsWith(where)).toBe(true);
  });

  it('refuses numbers that JSON has no word for, and those too large for it', async () => {
    const withTrust = (text: string) => `{"peers": [{"nodeId": "a", "location": "x", "trust": ${text}}]}`;
    for (const text of ['NaN', 'Infinity', '1e999', '-1e999', '']) {
      await expect(readText(withTrust(text))).rejects.toMatchObject({ code: 'PEERS_INVALID' });
    }
  });

  it('does not take what an entry inherits for its own', async () => {
    const text = '{"peers": [{"__proto__": {"nodeId": "a", "location": "x"}}]}';
    await expect(readText(text)).rejects.toMatchObject({ metadata: { where: 'peers[0].nodeId' } });
  });

  it('names the entry whose place nobody knows', async () => {
    const peers = [peer, { nodeId: 'b', location: 'Atlantis' }];
    await expect(read({ peers })).rejects.toMatchObject({
      code: 'PLACE_UNKNOWN',
      message: 'peers[1].location: no place is known as "Atlantis"',
    });
  });

  it('reads no further than its limit', async () => {
    using folder = createFolder();
    writeFileSync(folder.path('huge'), '');
    truncateSync(folder.path('huge'), peersFileBytesMax + 1);
    const context = { trust: {}, loadGazetteer: async () => createIsland().gazetteer };
    await expect(readPeersFile(folder.path('huge'), context)).rejects.toMatchObject({
      code: 'PEERS_INVALID',
      message: expect.stringContaining(`more than ${peersFileBytesMax} bytes`),
    });
    await expect(readPeersFile('/dev/zero', context)).rejects.toMatchObject({ code: 'PEERS_INVALID' });
    await expect(readPeersFile(folder.path('absent'), context)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });
});
