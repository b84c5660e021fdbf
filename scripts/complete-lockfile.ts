/**
 * Adds to package-lock.json the optional platform packages that a registry mirror did not list, so that
 * `npm ci` accepts the lock file on every platform (it skips what is not for the platform it runs on).
 * Run it after `npm install --package-lock-only`. Prints what it added; writes nothing when nothing is missing.
 */
import { readFile, writeFile } from 'node:fs/promises';

type Entry = {
  version?: string;
  optionalDependencies?: Record<string, string>;
  dev?: boolean;
  license?: string;
};

const systems = new Set([
  'android',
  'darwin',
  'freebsd',
  'linux',
  'openharmony',
  'win32',
  'aix',
  'netbsd',
  'openbsd',
  'sunos',
]);
const processors = new Set(['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64']);

const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as { packages: Record<string, Entry> };
const added: string[] = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (key in lock.packages || `${path}/${key}` in lock.packages) continue;
    const words = name.split(/[-/]/);
    const os = name === 'fsevents' ? ['darwin'] : words.filter(word => systems.has(word));
    const cpu = words.filter(word => processors.has(word));
    lock.packages[key] = {
      version: range.replace(/^[~^]/, ''),
      ...(cpu.length > 0 && { cpu }),
      ...(entry.dev === true && { dev: true }),
      ...(/musl/.test(name) && { libc: ['musl'] }),
      license: entry.license ?? 'MIT',
      optional: true,
      ...(os.length > 0 && { os }),
    } as Entry;
    added.push(name);
  }
}
if (added.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(`${added.length} added${added.map(name => `\n  ${name}`).join('')}`);
