import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { changePassphrase, createIdentity, loadIdentity, needsPassphrase } from '../src/identity.ts';
import { encryptUnderPassphrase } from '../src/passphrase.ts';
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

describe('an identity under a passphrase', () => {
  const [first, second] = [Buffer.from('gannet bonxie'), Buffer.from('curlew dunlin')];
  const workFactor = 2;

  test('is loaded under that alone, and its files show nothing of the keys', async () => {
    const made = await createIdentity(home, first, workFactor);
    expect(await needsPassphrase(home)).toBe(true);
    expect(await loadIdentity(home, first)).toEqual(made);
    await expect(loadIdentity(home)).rejects.toMatchObject({ code: 'PASSPHRASE_NEEDED', kind: 'invalid' });
    await expect(loadIdentity(home, second)).rejects.toMatchObject({
      code: 'PASSPHRASE_WRONG',
      kind: 'invalid',
    });
    expect((await readdir(home)).toSorted()).toEqual(['node.key', 'owner.key']);
    for (const name of ['node.key', 'owner.key']) {
      expect((await stat(join(home, name))).mode & 0o777).toBe(0o600);
      const text = await readFile(join(home, name), 'latin1');
      expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    }
  });

  test('gets one, another and none again, and stays the same', async () => {
    const made = await createIdentity(home);
    expect(await needsPassphrase(home)).toBe(false);
    expect(await loadIdentity(home, first)).toEqual(made);
    const plain = await readFile(join(home, 'owner.key'));
    expect(await changePassphrase(home, undefined, first, workFactor)).toBe(made.nodeId);
    expect(await loadIdentity(home, first)).toEqual(made);
    await changePassphrase(home, first, second, workFactor);
    await expect(loadIdentity(home, first)).rejects.toMatchObject({ code: 'PASSPHRASE_WRONG' });
    expect(await loadIdentity(home, second)).toEqual(made);
    await changePassphrase(home, second, undefined);
    expect(await loadIdentity(home)).toEqual(made);
    expect(await readFile(join(home, 'owner.key'))).toEqual(plain);
    expect((await readdir(home)).toSorted()).toEqual(['node.key', 'owner.key']);
  });

  test('is left as it is by a wrong passphrase, a missing one and a home that is not whole', async () => {
    await createIdentity(home, first, workFactor);
    const before = await Promise.all(['node.key', 'owner.key'].map(async name => readFile(join(home, name))));
    const third = Buffer.from('third');
    await expect(changePassphrase(home, second, third, workFactor)).rejects.toMatchObject({
      code: 'PASSPHRASE_WRONG',
    });
    await expect(changePassphrase(home, second, undefined)).rejects.toMatchObject({
      code: 'PASSPHRASE_WRONG',
    });
    await expect(changePassphrase(home, undefined, third, workFactor)).rejects.toMatchObject({
      code: 'PASSPHRASE_NEEDED',
    });
    const after = await Promise.all(['node.key', 'owner.key'].map(async name => readFile(join(home, name))));
    expect(after).toEqual(before);
    await rm(join(home, 'owner.key'));
    await expect(changePassphrase(home, first, second, workFactor)).rejects.toMatchObject(refused);
    expect(await readFile(join(home, 'node.key'))).toEqual(before[0]);
  });

  test.each([
    ['a first one', undefined, first],
    ['another', first, second],
    ['none', first, undefined],
  ])(
    'half changed to %s by a crash, is mended by the same call, and old drafts go',
    async (_what, from, to) => {
      const made = await createIdentity(home, from, workFactor);
      await copyFile(join(home, 'node.key'), join(root, 'old'));
      await changePassphrase(home, from, to, workFactor);
      await copyFile(join(root, 'old'), join(home, 'node.key'));
      await writeFile(join(home, '.owner.key.0123456789abcdef'), 'a draft', { mode: 0o600 });
      await changePassphrase(home, from, to, workFactor);
      expect(await loadIdentity(home, to)).toEqual(made);
      expect((await readdir(home)).toSorted()).toEqual(['node.key', 'owner.key']);
    },
  );

  test('is whole under one passphrase or the other, file by file, whenever the change is killed', async () => {
    const made = await createIdentity(home, first, workFactor);
    for (let round = 0; round < 4; round++) {
      const argv = [join(import.meta.dirname, 'passphrase-child.ts'), home, String(first), String(second)];
      const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      await new Promise(resolve => setTimeout(resolve, Math.random() * 30));
      child.kill('SIGKILL');
      expect(await exited).toEqual([null, 'SIGKILL']);
      await changePassphrase(home, second, first, 1);
      expect(await loadIdentity(home, first)).toEqual(made);
    }
  });

  test('that asks for too much work, is no file, is too long or holds no key is malformed', async () => {
    await createIdentity(home, first, workFactor);
    const path = join(home, 'node.key');
    const whole = await readFile(path, 'latin1');
    const binary = Buffer.from(whole.split('\n').slice(1, -2).join(''), 'base64').toString('latin1');
    const greedy = binary.replace(/^(-> scrypt \S+) 2$/m, '$1 21');
    const other = await encryptUnderPassphrase(Buffer.from('skerry-owner-key-v1\n00\n'), first, 1);
    for (const content of [greedy, whole.slice(0, -60), other, `${whole}${' '.repeat(5_000)}`]) {
      await writeFile(path, content, 'latin1');
      await expect(loadIdentity(home, first)).rejects.toMatchObject(refused);
    }
    await writeFile(path, binary, 'latin1');
    await expect(loadIdentity(home, first)).resolves.toBeDefined();
    await rm(path);
    execFileSync('mkfifo', ['-m', '600', path]);
    await expect(loadIdentity(home, first)).rejects.toMatchObject(refused);
  });
});
