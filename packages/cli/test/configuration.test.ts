import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationBytesMax } from '../parameters.ts';
import { loadConfiguration, parseConfiguration, resolveConfiguration } from '../src/configuration.ts';
import { editConfiguration } from '../src/configuration-edit.ts';
import { createFolder } from './folder.ts';

const resolve = (text: string, env: Record<string, string> = {}) =>
  resolveConfiguration(parseConfiguration(text, 'config.toml'), 'config.toml', env);

describe('resolveConfiguration', () => {
  it('puts the environment over the file, and the file over the defaults', () => {
    const file = 'profile = "local"\nwindow = 512\n';
    expect(resolve('')['profile']).toEqual({ value: 'open', source: 'default' });
    expect(resolve(file)['profile']).toEqual({ value: 'local', source: 'config.toml' });
    expect(resolve(file, { SKERRY_PROFILE: 'open', SKERRY_WINDOW: '' })).toMatchObject({
      profile: { value: 'open', source: 'SKERRY_PROFILE' },
      window: { value: 512, source: 'config.toml' },
    });
    expect(resolve('', { SKERRY_BOOTSTRAP: '/dns4/a/tcp/1,/dns4/b/tcp/2' })['bootstrap'].value).toEqual([
      '/dns4/a/tcp/1',
      '/dns4/b/tcp/2',
    ]);
  });

  it.each([
    ['window = "4096"', 'window'],
    ['window = 4096.5', 'window'],
    ['window = nan', 'window'],
    ['profile = 1979-05-27', 'profile'],
    ['risk-minimum = "extreme"', 'risk-minimum'],
    ['listen = "/ip4/127.0.0.1/tcp/1"', 'listen'],
    ['listen = ["tcp"]', 'listen'],
    [`listen = [${'"/a",'.repeat(65)}]`, 'listen'],
    ['trust = 1', 'trust'],
    ['[trust]\na = 1.5', 'trust'],
    ['[trust]\na = nan', 'trust'],
    ['[trust]\na = "distrust"', 'trust'],
    ['[trust]\na = true', 'trust'],
    ['audit-minutes = 40320.5', 'audit-minutes'],
    ['refresh-days = 1.5', 'refresh-days'],
    ['audit-minutes = "60"', 'audit-minutes'],
    ['verify-place = true', 'verify-place'],
    ['[trust]\na.b = 1', 'trust'],
    ['location = "a\\u001b"', 'location'],
    ['passphrase-file = "passphrase"', 'passphrase-file'],
    ['swarm-key = "~/swarm.key"', 'swarm-key'],
    [`swarm-key = "/${'a'.repeat(4_096)}"`, 'swarm-key'],
    ['locaton = "a"', 'locaton'],
    ['[__proto__]\na = 1', '__proto__'],
  ])('refuses %j, naming key, source and what is allowed', (text, key) => {
    expect(() => resolve(text)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        metadata: { key, source: 'config.toml', allowed: expect.stringMatching(/./) },
      }),
    );
  });

  it('does not repeat a key that was given instead of its file', () => {
    const digits = '0123456789abcdef'.repeat(4);
    const silent = expect.objectContaining({ message: expect.not.stringContaining('0123') });
    expect(() => resolve('', { SKERRY_SWARM_KEY: digits })).toThrow(silent);
    expect(resolve('', { SKERRY_SWARM_KEY: '/etc/swarm.key' })['swarm-key'].value).toBe('/etc/swarm.key');
  });

  it('refuses a bad value even where a better one overrides it', () => {
    expect(() => resolve('profile = "none"', { SKERRY_PROFILE: 'open' })).toThrow(/from config\.toml/);
    expect(() => resolve('', { SKERRY_WINDOW: '0x200' })).toThrow(/from SKERRY_WINDOW/);
  });

  it('says where a file stops being TOML', () => {
    expect(() => resolve('window = 512\nprofile = \n')).toThrow(/config\.toml is not TOML at line 2, /);
  });
});

describe('loadConfiguration', () => {
  it('has the defaults where there is no file, and refuses one that is no file or too large', async () => {
    using folder = createFolder();
    expect((await loadConfiguration(folder.path('absent'), {}))['profile'].value).toBe('open');
    mkdirSync(folder.path('odd/config.toml'), { recursive: true });
    await expect(loadConfiguration(folder.path('odd'), {})).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
    writeFileSync(folder.path('config.toml'), '#'.repeat(configurationBytesMax + 1));
    await expect(loadConfiguration(folder.path('.'), {})).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    chmodSync(folder.path('config.toml'), 0o600);
  });
});

describe('editConfiguration', () => {
  const set = (text: string, key: string, value: string | number, table?: string) =>
    editConfiguration(text, { table, key, value }, 'config.toml');

  it('adds a key above the tables, and a table at the end', () => {
    expect(set('', 'window', 512)).toBe('window = 512\n');
    expect(set('[trust]\na = 1\n', 'window', 512)).toBe('window = 512\n[trust]\na = 1\n');
    expect(set('window = 512', 'a b', 0.5, 'trust')).toBe('window = 512\n\n[trust]\n"a b" = 0.5\n');
  });

  it('replaces a value where it stands', () => {
    expect(set('# one\nwindow = 64 # small\nprofile = "open"', 'window', 512)).toBe(
      '# one\nwindow = 512\nprofile = "open"\n',
    );
    expect(set('[trust]\n"a" = 1\n', 'a', 0, 'trust')).toBe('[trust]\na = 0\n');
  });

  it('quotes what needs it', () => {
    const text = set('', 'operator', 'a "b" \\ = [c]');
    expect(parseConfiguration(text, 'x')).toEqual({ operator: 'a "b" \\ = [c]' });
  });

  it('leaves alone what it cannot change in one line', () => {
    for (const [text, key, table] of [
      ['listen = [\n  "/a",\n]\n', 'listen', undefined],
      ['trust = { a = 1 }\n', 'a', 'trust'],
      ['operator = """\nwindow = 1\n"""\n', 'window', undefined],
      ['trust = { a = 1 }\n', 'b', 'trust'],
    ] as const) {
      expect(() => set(text, key, 1, table)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    }
  });
});
