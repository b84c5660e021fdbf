import { describe, expect, it } from 'vitest';
import { loadGazetteer } from '../src/gazetteer.ts';

describe('loadGazetteer', () => {
  it('loads the places that come with @skerry/placement', async () => {
    const { place } = (await loadGazetteer()).resolve('Reykjavik, IS');
    expect(place).toMatchObject({ name: 'Reykjavík', country: 'IS', region: '154' });
  });
});
