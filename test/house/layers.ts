/** Which package may import which, and what each says that it needs. */
import { resolveImport } from './exports.ts';
import { lineAt, type Module, type SyntaxNode, walk, wordsIn } from './syntax.ts';
import { isTest, packageOf } from './tree.ts';

/** One row of the table of packages: its height, and whether it is pure (no clock, no randomness, no I/O). */
type Layer = { readonly height: number; readonly name: string; readonly pure: boolean };

/** The order of the packages: each imports only what stands lower. docs/ARCHITECTURE.md shows the same table. */
export const layers: readonly Layer[] = [
  { height: 0, name: 'base', pure: true },
  { height: 1, name: 'crypto', pure: false },
  { height: 2, name: 'entropy', pure: true },
  { height: 2, name: 'sharing', pure: true },
  { height: 2, name: 'placement', pure: true },
  { height: 2, name: 'trust', pure: true },
  { height: 2, name: 'wire', pure: true },
  { height: 3, name: 'custody', pure: true },
  { height: 4, name: 'simulator', pure: true },
  { height: 4, name: 'sealing', pure: false },
  { height: 4, name: 'node', pure: false },
  { height: 5, name: 'swarm', pure: false },
  { height: 6, name: 'cli', pure: false },
];

/** What a package.json says of its doors and dependencies. */
export type Manifest = {
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

/**
 * The table of packages as docs/ARCHITECTURE.md shows it: rows `| height | name | pure or node | ...`.
 *
 * @param markdown the document
 */
export function layersIn(markdown: string): Layer[] {
  return [...markdown.matchAll(/^\| *(\d+) *\| *`(\w+)` *\| *(pure|node) *\|/gm)].map(row => ({
    height: Number(row[1]),
    name: row[2]!,
    pure: row[3] === 'pure',
  }));
}

/** Imports of a package that does not stand lower, and of an impure one by a pure one; tests may take any. */
export function upwardImports(modules: readonly Module[]): string[] {
  return crossings(modules)
    .filter(({ module, to }) => !isTest(module.path) && !isBelow(packageOf(module.path)!, to))
    .map(({ module, to }) => `${module.path}: ${to}`);
}

/**
 * Imports that enter another package by anything but its door, or leave their own by a relative path.
 *
 * @param sideDoors subpaths that packages export beside their door, such as `@skerry/node/gazetteer`: what a program
 *   that must start fast may import without the rest
 */
export function importsPastTheDoor(
  modules: readonly Module[],
  sideDoors: ReadonlySet<string> = new Set(),
): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports
      .map(({ from }) => from)
      .filter(from => {
        if (/^@skerry\/[^/]+\//.test(from)) return !sideDoors.has(from);
        const target = resolveImport(path, from);
        if (target === undefined || !from.startsWith('.') || packageOf(target) === packageOf(path))
          return false;
        return packageOf(path) !== undefined || !/^packages\/[^/]+\/index\.ts$/.test(target);
      })
      .map(from => `${path}: ${from}`),
  );
}

/** Uses of Node, of the clock, of chance or of the global object in a pure package, tests aside. */
export function impurities(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => !isTest(path) && layerOf(packageOf(path))?.pure === true)
    .flatMap(({ path, text, tree, imports }) => [
      ...imports.filter(({ from }) => from.startsWith('node:')).map(({ from }) => `${path}: ${from}`),
      ...impureExpressions(tree).map(
        node => `${path}:${lineAt(text, node.start)}: ${text.slice(node.start, node.end)}`,
      ),
    ]);
}

/** Imports of libp2p and of its companions anywhere but in packages/node. */
export function libp2pOutsideNode(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, imports }) =>
    imports
      .filter(({ from }) => /^(@?libp2p|@chainsafe\/libp2p|@multiformats)(\/|-|$)/.test(from))
      .filter(() => packageOf(path) !== undefined && packageOf(path) !== 'node')
      .map(({ from }) => `${path}: ${from}`),
  );
}

/**
 * Where a package.json and the imports differ: what is imported and not declared, or declared and not imported.
 * Dependencies are what the code imports, devDependencies what only its tests do.
 *
 * @param name the package, undefined for the root (scripts and the tests of the house)
 * @param manifest its package.json
 * @param modules all modules
 * @param shared names that tests may import undeclared: the root's own devDependencies
 */
export function dependencyDifferences(
  name: string,
  manifest: Manifest,
  modules: readonly Module[],
  shared: ReadonlySet<string>,
): string[] {
  const own = modules.filter(({ path }) => packageOf(path) === name);
  const code = own.filter(({ path }) => !isTest(path));
  const tests = own.filter(({ path }) => isTest(path));
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const devDependencies = Object.keys(manifest.devDependencies ?? {});
  const declared = new Set([...dependencies, ...devDependencies]);
  const absent = [
    ...[...importedPackages(code)].filter(used => !dependencies.includes(used)),
    ...[...importedPackages(tests)].filter(used => !declared.has(used) && !shared.has(used)),
  ];
  const idle = [
    ...dependencies.filter(used => !mentions(code, used)),
    ...devDependencies.filter(used => !mentions([...code, ...tests], used.replace(/^@types\//, ''))),
  ];
  return [
    ...absent.filter(used => used !== `@skerry/${name}`).map(used => `${name}: ${used} is not declared`),
    ...idle.map(used => `${name}: ${used} is declared and not used`),
  ];
}

function layerOf(name: string | undefined): Layer | undefined {
  return layers.find(layer => layer.name === name);
}

function isBelow(importer: string, imported: string): boolean {
  const [above, below] = [layerOf(importer), layerOf(imported)];
  if (above === undefined || below === undefined) return false;
  return below.height < above.height && (below.pure || !above.pure);
}

function crossings(modules: readonly Module[]): { module: Module; to: string }[] {
  return modules.flatMap(module =>
    module.imports
      .map(({ from }) => packageOf(resolveImport(module.path, from) ?? ''))
      .filter(to => to !== undefined && to !== packageOf(module.path) && packageOf(module.path) !== undefined)
      .map(to => ({ module, to: to! })),
  );
}

function impureExpressions(tree: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  walk(tree, node => {
    const object = node['object'] as SyntaxNode | undefined;
    const property = node['property'] as SyntaxNode | undefined;
    const member = `${String(object?.['name'])}.${String(property?.['name'])}`;
    const callee = node['callee'] as SyntaxNode | undefined;
    const readsClock =
      node.type === 'NewExpression' &&
      callee?.['name'] === 'Date' &&
      (node['arguments'] as unknown[]).length === 0;
    const isGlobal = node.type === 'Identifier' && node['name'] === 'globalThis';
    if (readsClock || isGlobal || ['Date.now', 'Math.random'].includes(member)) found.push(node);
  });
  return found;
}

function importedPackages(modules: readonly Module[]): Set<string> {
  const specifiers = modules.flatMap(({ imports }) => imports.map(({ from }) => from));
  return new Set(
    specifiers
      .filter(from => !from.startsWith('.') && !from.startsWith('node:'))
      .map(from => from.split('/', from.startsWith('@') ? 2 : 1).join('/')),
  );
}

/** Whether a package is imported, or named by a string as `import.meta.resolve` takes it. */
function mentions(modules: readonly Module[], name: string): boolean {
  return modules.some(({ tree }) =>
    [...wordsIn(tree)].some(word => word === name || word.startsWith(`${name}/`)),
  );
}
