/** The rules of the house can fail: each is fed a bad example and its good twin. */
import { describe, expect, it } from 'vitest';
import {
  brokenLinks,
  glossaryTerms,
  looseDecisions,
  misshapenPackages,
  unusedTerms,
  wrongPaths,
} from './house/documents.ts';
import {
  deadExports,
  deadModules,
  doorsThatDoMore,
  undocumentedExports,
  unreadParameters,
  unwantedExports,
} from './house/exports.ts';
import {
  dependencyDifferences,
  importsPastTheDoor,
  impurities,
  layersIn,
  libp2pOutsideNode,
  upwardImports,
} from './house/layers.ts';
import { longFiles, longFunctions } from './house/size.ts';
import { type Module, parseModule } from './house/syntax.ts';
import { isTest, packageOf, type TextFile } from './house/tree.ts';
import { bannedMarks, tracesOfOrigin, unkebabPaths, vagueIdentifiers, vaguePaths } from './house/words.ts';

function code(texts: Record<string, string>): Module[] {
  return Object.entries(texts).map(([path, text]) => parseModule(path, text));
}

function documents(texts: Record<string, string>): TextFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }));
}

const src = 'packages/base/src/bytes.ts';
const door = 'packages/base/index.ts';

describe('size', () => {
  it('a file of 401 lines is too long, one of 400 is not', () => {
    expect(longFiles(code({ [src]: '1;\n'.repeat(401) }))).toEqual([`${src}: 401 lines`]);
    expect(longFiles(code({ [src]: '1;\n'.repeat(400) }))).toEqual([]);
  });

  it('a function of 71 lines is too long, of whatever form, and one of 70 is not', () => {
    const body = '1;\n'.repeat(69);
    for (const head of ['function f() {', 'const f = () => {', 'class C { m() {', 'run(async () => {']) {
      const tail = head.startsWith('class') ? '}}' : head.startsWith('run') ? '})' : '}';
      expect(longFunctions(code({ [src]: `${head}\n${body}${tail}` }))).toEqual([`${src}:1: 71 lines`]);
      expect(longFunctions(code({ [src]: `${head}${body}${tail}` }))).toEqual([]);
    }
  });

  it('the block of a describe may be longer, a test in it may not', () => {
    const long = '1;\n'.repeat(80);
    const test = (inner: string) => `describe('a thing', () => {\n${inner}});`;
    expect(longFunctions(code({ 'test/a.test.ts': test(long) }))).toEqual([]);
    expect(longFunctions(code({ 'test/a.test.ts': test(`it('é', () => {\n${long}});\n`) }))).toEqual([
      'test/a.test.ts:2: 82 lines',
    ]);
  });
});

describe('exports', () => {
  it('an export that nobody imports is dead', () => {
    const both = code({ [src]: 'export const a = 1, b = 2; export type C = 1;', [door]: '' });
    const used = (text: string) => deadExports([...both, ...code({ 'scripts/x.ts': text })]);
    const path = '../packages/base/src/bytes.ts';
    expect(used('')).toEqual([`${src}: a`, `${src}: b`, `${src}: C`]);
    expect(used(`import { a, type C } from '${path}';`)).toEqual([`${src}: b`]);
    expect(used(`import * as all from '${path}'; all.a + all.b;`)).toEqual([`${src}: C`]);
    expect(used(`const { b } = await import('${path}');`)).toEqual([`${src}: a`, `${src}: C`]);
    expect(used(`export { a as z, b, type C } from '${path}';`)).toEqual([
      'scripts/x.ts: z',
      'scripts/x.ts: b',
      'scripts/x.ts: C',
    ]);
  });

  it('a star hides what is exported', () => {
    expect(deadExports(code({ [src]: "export * from './risk.ts';" }))).toEqual([`${src}: *`]);
  });

  it('a module that nothing imports or names is dead', () => {
    expect(deadModules(code({ [src]: '1;' }))).toEqual([src]);
    expect(deadModules(code({ [src]: '1;', [door]: "new Worker(new URL('./src/bytes.ts', here))" }))).toEqual(
      [],
    );
  });

  it('a name at a door is wanted by another package, a test at the door or the README', () => {
    const own = { [src]: 'export const a = 1;', [door]: "export { a } from './src/bytes.ts';" };
    const beside = (path: string, text: string) => unwantedExports(code({ ...own, [path]: text }), []);
    expect(beside('packages/base/src/risk.ts', "import { a } from '../index.ts';")).toEqual([`${door}: a`]);
    expect(beside('packages/base/test/a.test.ts', "import { a } from '../src/bytes.ts';")).toEqual([
      `${door}: a`,
    ]);
    expect(beside('packages/base/test/a.test.ts', "import { a } from '../index.ts';")).toEqual([]);
    expect(beside('packages/cli/src/x.ts', "import { a } from '@skerry/base';")).toEqual([]);
    expect(unwantedExports(code(own), documents({ 'packages/base/README.md': 'call `a`' }))).toEqual([]);
    expect(unwantedExports(code(own), documents({ 'packages/wire/README.md': 'call `a`' }))).toEqual([
      `${door}: a`,
    ]);
  });

  it('a type at a door is wanted where another exported definition speaks of it', () => {
    const both = (text: string) =>
      unwantedExports(
        code({ [src]: text, [door]: "export { f, type T } from './src/bytes.ts';" }),
        documents({ 'packages/base/README.md': 'f()' }),
      );
    expect(both('export type T = 1; export function f(x: T) {}')).toEqual([]);
    expect(both('export type T = 1; export function f() { const x: T = 1; }')).toEqual([`${door}: T`]);
  });

  it('a name at a door needs a docstring, however it is defined', () => {
    const check = (text: string) =>
      undocumentedExports(code({ [src]: text, [door]: "export { a } from './src/bytes.ts';" }));
    expect(check('/** What a is. */\nexport const a = 1;')).toEqual([]);
    expect(check('/** What a is. */\nfunction a() {}\nexport { a };')).toEqual([]);
    expect(check('/** What a is. */\nexport function a(x: 1): 1;\nexport function a(x: 2): 2;')).toEqual([]);
    for (const bad of [
      'export const a = 1;',
      '/* no */ export const a = 1;',
      '// no\nexport const a = 1;',
      '/** of b */ const b = 1;\nexport const a = 1;',
      '/** of b */ const b = 1; /* */\nexport const a = 1;',
    ]) {
      expect(check(bad)).toEqual([`${door}: a`]);
    }
  });

  it('a parameter needs a docstring of its own', () => {
    const path = 'packages/base/parameters.ts';
    const text = '/** Both. */\nexport const graceMs = 1;\nexport const shareBytesMax = 2;';
    expect(undocumentedExports(code({ [path]: text }))).toEqual([`${path}: shareBytesMax`]);
  });

  it('a door that defines, runs or exports all does more than a door', () => {
    const check = (text: string) => doorsThatDoMore(code({ [door]: text })).length;
    expect(check("export { a, type B } from './src/bytes.ts'; export {};")).toBe(0);
    for (const bad of [
      'export const a = 1;',
      "import './src/a.ts';",
      "export * from './src/a.ts';",
      'const a = 1; export { a };',
      'run();',
    ]) {
      expect(check(bad)).toBeGreaterThan(0);
    }
  });

  it('a parameter that only tests or its own file read is not read', () => {
    const parameters = 'packages/base/parameters.ts';
    const own = {
      [parameters]: 'export const graceMs = 1; export const limits = { open: { w: 0.3 }, 2: 1 };',
    };
    const all = [
      `${parameters}: graceMs`,
      `${parameters}: limits`,
      `${parameters}: open`,
      `${parameters}: w`,
    ];
    expect(unreadParameters(code(own))).toEqual(all);
    const test = "import { graceMs, limits } from '../parameters.ts'; limits.open.w";
    expect(unreadParameters(code({ ...own, 'packages/base/test/a.test.ts': test }))).toEqual(all);
    expect(unreadParameters(code({ ...own, [src]: "graceMs; limits['open'];" }))).toEqual([
      `${parameters}: w`,
    ]);
  });
});

describe('words', () => {
  it('vague names are found in paths and identifiers, the same letters within words are not', () => {
    const paths = [
      'packages/base/src/utils.ts',
      'packages/helpers/index.ts',
      'packages/base/src/byte-util.ts',
    ];
    expect(vaguePaths(paths.map(path => ({ path, text: '' })))).toEqual(paths);
    expect(vaguePaths(documents({ 'packages/base/src/commons.ts': '' }))).toEqual([]);
    expect(vagueIdentifiers(code({ [src]: 'const helpers = 1;' }))).toEqual([`${src}:1: helpers`]);
    expect(vagueIdentifiers(code({ [src]: 'const mostCommonValue = 1;' }))).toEqual([]);
  });

  it('names of source files are in kebab case', () => {
    expect(unkebabPaths(code({ 'scripts/readTree.ts': '', 'scripts/read_tree.ts': '' }))).toHaveLength(2);
    expect(unkebabPaths(code({ 'packages/base/test/masked-round.property.test.ts': '' }))).toEqual([]);
  });

  it('marks of unfinished work are found in code, documents and scripts', () => {
    const bad = [
      ['// TO', 'DO'],
      ['FIX', 'ME'],
      ['// @ts-', 'ignore'],
      ['// oxlint-', 'disable-next-line'],
      ['it.on', "ly('x')"],
      ['it.sk', "ip('x')"],
    ].map(halves => halves.join(''));
    for (const text of bad) {
      expect(bannedMarks(documents({ [src]: `a\n${text}` }))).toHaveLength(1);
      expect(bannedMarks(documents({ 'README.md': text, '.ci/run': text }))).toHaveLength(2);
    }
    expect(bannedMarks(documents({ [src]: 'skip(1); list.onlyOnce(2); autodot' }))).toEqual([]);
  });

  it('traces of a machine and of a registry are found in any file', () => {
    const bad = [
      ['/ho', 'me/ann/x'],
      ['see /wo', 'rk/main'],
      ['https://regis', 'try.example.org/x'],
      ['"resolved": "ht', 'tps://x"'],
      ['www.npm', 'js.com'],
    ].map(halves => halves.join(''));
    for (const text of bad) expect(tracesOfOrigin(documents({ 'a.json': text }))).toHaveLength(1);
    const good = 'docs/work/plan, /var/lib/skerry, "resolved": "packages/base", ../home/x, a registry.';
    expect(tracesOfOrigin(documents({ 'a.json': good }))).toEqual([]);
  });
});

describe('layers', () => {
  it('an import upward, sideways or from pure to impure is found; tests may take any', () => {
    const check = (path: string, to: string) => upwardImports(code({ [path]: `import '@skerry/${to}';` }));
    expect(check('packages/base/src/a.ts', 'wire')).toEqual(['packages/base/src/a.ts: wire']);
    expect(check('packages/wire/src/a.ts', 'sharing')).toHaveLength(1);
    expect(check('packages/wire/src/a.ts', 'crypto')).toHaveLength(1);
    expect(check('packages/wire/src/a.ts', 'nowhere')).toHaveLength(1);
    expect(check('packages/wire/test/a.test.ts', 'crypto')).toEqual([]);
    expect(check('packages/node/src/a.ts', 'crypto')).toEqual([]);
    expect(check('packages/custody/src/a.ts', 'wire')).toEqual([]);
  });

  it('a package is entered by its door', () => {
    const check = (path: string, from: string) => importsPastTheDoor(code({ [path]: `import '${from}';` }));
    expect(check('packages/wire/src/a.ts', '@skerry/base/src/bytes.ts')).toHaveLength(1);
    expect(check('packages/wire/src/a.ts', '../../base/src/bytes.ts')).toHaveLength(1);
    expect(check('packages/wire/src/a.ts', '../../base/index.ts')).toHaveLength(1);
    expect(check('test/a.test.ts', '../packages/base/src/bytes.ts')).toHaveLength(1);
    expect(check('test/a.test.ts', '../packages/base/index.ts')).toEqual([]);
    expect(check('packages/wire/src/a.ts', '../parameters.ts')).toEqual([]);
    const side = code({ 'packages/cli/src/a.ts': "import '@skerry/node/gazetteer';" });
    expect(importsPastTheDoor(side)).toHaveLength(1);
    expect(importsPastTheDoor(side, new Set(['@skerry/node/gazetteer']))).toEqual([]);
  });

  it('a pure package that touches Node, the clock, chance or the global object is found', () => {
    const check = (text: string, path = src) => impurities(code({ [path]: text }));
    for (const bad of [
      "import 'node:fs';",
      'Date.now();',
      'new Date();',
      'Math.random();',
      'globalThis.x;',
    ]) {
      expect(check(bad)).toHaveLength(1);
      expect(check(bad, 'packages/node/src/a.ts')).toEqual([]);
      expect(check(bad, 'packages/base/test/a.test.ts')).toEqual([]);
    }
    expect(check('new Date(5); Math.max(1, 2); clock.now();')).toEqual([]);
  });

  it('libp2p outside packages/node is found', () => {
    for (const from of ['libp2p', '@libp2p/tcp', '@chainsafe/libp2p-noise', '@multiformats/multiaddr']) {
      expect(libp2pOutsideNode(code({ 'packages/swarm/src/a.ts': `import '${from}';` }))).toHaveLength(1);
      expect(libp2pOutsideNode(code({ 'packages/node/src/a.ts': `import '${from}';` }))).toEqual([]);
    }
  });

  it('a dependency that is missing, idle or only for tests is found', () => {
    const modules = code({
      'packages/wire/src/a.ts': "import 'cborg/length'; import '@skerry/base'; import 'node:fs';",
      'packages/wire/test/a.test.ts': "import 'vitest'; import '@skerry/crypto'; import '@skerry/wire';",
    });
    const check = (dependencies: string[], devDependencies: string[]) => {
      const entries = (names: string[]) => Object.fromEntries(names.map(name => [name, '1.0.0']));
      const manifest = { dependencies: entries(dependencies), devDependencies: entries(devDependencies) };
      return dependencyDifferences('wire', manifest, modules, new Set(['vitest']));
    };
    expect(check(['cborg', '@skerry/base'], ['@skerry/crypto', '@types/cborg'])).toEqual([]);
    expect(check(['cborg'], ['@skerry/crypto'])).toEqual(['wire: @skerry/base is not declared']);
    expect(check(['cborg', '@skerry/base'], [])).toEqual(['wire: @skerry/crypto is not declared']);
    expect(check(['cborg', '@skerry/base', '@skerry/crypto'], [])).toHaveLength(1);
    expect(check(['cborg', '@skerry/base', 'jose'], ['@skerry/crypto'])).toHaveLength(1);
  });

  it('the table of packages is read from a document', () => {
    const table =
      '| layer | package |\n|---|---|\n| 0 | `base` | pure | errors |\n| 1 | `crypto` | node | x |\n';
    expect(layersIn(table)).toEqual([
      { height: 0, name: 'base', pure: true },
      { height: 1, name: 'crypto', pure: false },
    ]);
  });
});

describe('documents', () => {
  it('a package with a part missing or too many is found', () => {
    const parts = ['package.json', 'README.md', 'index.ts', 'src/a.ts', 'test/a.test.ts'];
    const check = (names: string[]) =>
      misshapenPackages(names.map(name => ({ path: `packages/base/${name}`, text: '' })));
    expect(check([...parts, 'bin/a.ts', 'data/a.json', 'parameters.ts'])).toEqual([]);
    expect(check(parts.slice(1))).toEqual(['packages/base lacks package.json']);
    expect(check([...parts, 'lib/a.ts'])).toEqual(['packages/base has lib']);
  });

  it('links to files, folders and headings that are not there are found', () => {
    const check = (link: string) =>
      brokenLinks(documents({ 'docs/A.md': `# The *round*: one\n[x](${link})`, 'docs/adr/0001-a.md': '' }));
    for (const good of ['A.md', '#the-round-one', 'adr', 'adr/', 'adr/0001-a.md', 'https://example.org/x']) {
      expect(check(good)).toEqual([]);
    }
    for (const bad of ['B.md', '#the-round', '../A.md', 'A.md#x'])
      expect(check(bad)).toEqual([`docs/A.md: ${bad}`]);
  });

  it('paths that a document or a comment names and that are not there are found', () => {
    const check = (path: string, text: string) => wrongPaths(documents({ [path]: text, [src]: '' }));
    const [there, gone] = ['packages/base/src', 'packages/base/lib'];
    expect(check('docs/A.md', `\`${there}/bytes.ts\` \`${there}\``)).toEqual([]);
    expect(check('packages/base/README.md', '`src/gone.ts` `docs/x`')).toEqual([
      'packages/base/README.md: docs/x',
    ]);
    expect(check('docs/A.md', `\`${gone}\``)).toEqual([`docs/A.md: ${gone}`]);
    expect(check('scripts/a.ts', '// see docs/A.md')).toEqual(['scripts/a.ts: docs/A.md']);
    expect(check('scripts/a.json', 'docs/A.md')).toEqual([]);
  });

  it('a decision out of the index, misnamed or incomplete is found', () => {
    const body = '# 1. A\n\n## Context\n\n## Decision\n\n## Consequences\n';
    const check = (path: string, text: string, index: string) =>
      looseDecisions(documents({ 'docs/adr/README.md': index, [path]: text }));
    expect(check('docs/adr/0001-a.md', body, '[a](0001-a.md)')).toEqual([]);
    expect(check('docs/adr/0001-a.md', body, '')).toEqual(['docs/adr/0001-a.md is not in the index']);
    expect(check('docs/adr/a.md', body, '[a](a.md)')).toEqual(['docs/adr/a.md is not NNNN-name.md']);
    expect(check('docs/adr/0001-a.md', '# 1', '[a](0001-a.md)')).toHaveLength(3);
  });

  it('a word that the glossary explains and no code uses is found', () => {
    const glossary = '- **share**: a part.\n- **grant**, **key id**: may open.\nA **note** is no entry.\n';
    expect(glossaryTerms(glossary)).toEqual(['share', 'grant', 'key id']);
    expect(unusedTerms(glossary, code({ [src]: 'const keyId = 1; // one of many shares' }))).toEqual([
      'grant',
    ]);
  });
});

describe('paths', () => {
  it('tell packages and tests apart', () => {
    expect(packageOf('packages/base/src/a.ts')).toBe('base');
    expect(packageOf('scripts/a.ts')).toBeUndefined();
    expect(['test/a.ts', 'packages/base/test/a.ts', 'packages/base/src/test/a.ts'].map(isTest)).toEqual([
      true,
      true,
      false,
    ]);
  });
});
