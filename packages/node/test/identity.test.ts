import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createIdentity, loadIdentity } from '../src/identity.ts';
import { startHost } from './hosts.ts';

let root: string;
let home: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skerry-'));
  home = join(root, 'home');
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const refused = { code: 'HOME_INVALID', kind: 'invalid' };

describe('an identity', () => {
  test('is made once and loaded again, in private files with nothing beside them', async () => {
    const made = await createIdentity(home);
    const loaded = await loadIdentity(home);
    expect(loaded).toEqual(made);
    expect(made.nodeSeed).not.toEqual(made.ownerSeed);
    expect((await readdir(home)).toSorted()).toEqual(['node.key', 'owner.key']);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    for (const name of ['node.key', 'owner.key'])
      expect((await stat(join(home, name))).mode & 0o777).toBe(0o600);
  });

  test('names the node as libp2p does', async () => {
    const { nodeSeed, nodeId } = await createIdentity(home);
    const host = await startHost({ nodeSeed });
    await host.close();
    expect(host.nodeId).toBe(nodeId);
  });

  test('is never made over another', async () => {
    await createIdentity(home);
    const before = await readFile(join(home, 'node.key'));
    await expect(createIdentity(home)).rejects.toMatchObject(refused);
    await rm(join(home, 'owner.key'));
    await expect(createIdentity(home)).rejects.toMatchObject(refused);
    expect(await readFile(join(home, 'node.key'))).toEqual(before);
  });

  test('is not loaded from a home that is missing, incomplete, open to others or malformed', async () => {
    await expect(loadIdentity(home)).rejects.toMatchObject(refused);
    await createIdentity(home);
    await chmod(home, 0o755);
    await expect(loadIdentity(home)).rejects.toMatchObject(refused);
    await chmod(home, 0o700);
    await chmod(join(home, 'owner.key'), 0o640);
    await expect(loadIdentity(home)).rejects.toMatchObject(refused);
    await chmod(join(home, 'owner.key'), 0o600);
    await expect(loadIdentity(home)).resolves.toBeDefined();
    for (const text of [
      '',
      'skerry-owner-key-v1\n00\n',
      `skerry-node-key-v1\n${'00'.repeat(33)}\n`,
      'x'.repeat(99),
    ]) {
      await writeFile(join(home, 'node.key'), text);
      await expect(loadIdentity(home)).rejects.toMatchObject(refused);
    }
    await rm(join(home, 'node.key'));
    await expect(loadIdentity(home)).rejects.toMatchObject(refused);
  });
});
