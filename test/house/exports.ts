/** What is exported is wanted, and says what it is. */
import { posix } from 'node:path';
import { type Module, type SyntaxNode, walk, wordsIn } from './syntax.ts';
import { isTest, packageOf, type TextFile } from './tree.ts';

/**
 * The file of the repository that an import means, or undefined for a package from elsewhere.
 *
 * @param importer path of the importing file
 * @param specifier as written
 */
export function resolveImport(importer: string, specifier: string): string | undefined {
  const house = /^@skerry\/([^/]+)$/.exec(specifier)?.[1];
  if (house !== undefined) return `packages/${house}/index.ts`;
  return specifier.startsWith('.') ? posix.join(posix.dirname(importer), specifier) : undefined;
}

/** Exports that no file imports. Doors (index.ts) have their own rule, settings at the root are read by tools. */
export function deadExports(modules: readonly Module[]): string[] {
  const uses = importedNames(modules);
  return modules
    .filter(({ path }) => path.includes('/') && !isDoor(path))
    .flatMap(({ path, exports }) =>
      exports
        .filter(({ name }) => name === '*' || !uses.some(use => use.target === path && use.names.has(name)))
        .map(({ name }) => `${path}: ${name}`),
    );
}

/** Modules in `src` that nothing imports or names in a string (as a worker is). */
export function deadModules(modules: readonly Module[]): string[] {
  const reached = new Set(
    modules.flatMap(({ path, tree }) => [...wordsIn(tree)].map(word => resolveImport(path, word))),
  );
  return modules.map(({ path }) => path).filter(path => /\/src\//.test(path) && !reached.has(path));
}

/**
 * Names that a package exports and nobody wants: no other package, script or test imports them from the door,
 * the package's README does not show them, and, for a type, no other exported definition speaks of it.
 */
export function unwantedExports(modules: readonly Module[], readmes: readonly TextFile[]): string[] {
  const uses = importedNames(modules);
  return modules
    .filter(({ path }) => isDoor(path))
    .flatMap(door => {
      const home = packageOf(door.path);
      const readme = readmes.find(({ path }) => path === `packages/${home}/README.md`)?.text ?? '';
      const imported = uses.filter(
        use => use.target === door.path && (packageOf(use.importer) !== home || isTest(use.importer)),
      );
      return door.exports
        .filter(
          ({ name }) =>
            !imported.some(use => use.names.has(name)) &&
            !new RegExp(`\\b${name.replace('$', '\\$')}\\b`).test(readme) &&
            !isSpokenOf(modules, door, name),
        )
        .map(({ name }) => `${door.path}: ${name}`);
    });
}

/** Names that a package exports, and parameters, whose definition has no docstring right before it. */
export function undocumentedExports(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => isDoor(path) || isParameters(path))
    .flatMap(door =>
      door.exports
        .filter(({ name }) => findDefinition(modules, door, name)?.documented !== true)
        .map(({ name }) => `${door.path}: ${name}`),
    );
}

/** Statements in a door that are not named re-exports. */
export function doorsThatDoMore(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => isDoor(path))
    .flatMap(({ path, tree }) =>
      (tree['body'] as SyntaxNode[])
        .filter(
          statement =>
            statement.type !== 'ExportNamedDeclaration' ||
            (statement['source'] === null && (statement['specifiers'] as unknown[]).length > 0) ||
            statement['declaration'] !== null,
        )
        .map(statement => `${path}: ${statement.type}`),
    );
}

/** Every parameter (an export of a parameters.ts, and each field in it) that no code but tests reads. */
export function unreadParameters(modules: readonly Module[]): string[] {
  return modules
    .filter(({ path }) => isParameters(path))
    .flatMap(({ path, exports, definitions }) => {
      const readers = modules.filter(
        other => other.path !== path && !isTest(other.path) && !isDoor(other.path),
      );
      const read = new Set(readers.flatMap(({ tree }) => [...wordsIn(tree)]));
      return exports
        .flatMap(({ name, local }) => {
          const node = definitions.get(local)?.node;
          return node?.type === 'VariableDeclarator' ? [name, ...fieldsOf(node)] : [];
        })
        .filter(name => !read.has(name))
        .map(name => `${path}: ${name}`);
    });
}

type Use = {
  readonly importer: string;
  readonly target: string | undefined;
  readonly names: ReadonlySet<string>;
};

function importedNames(modules: readonly Module[]): Use[] {
  return modules.flatMap(({ path, imports }) =>
    imports.map(({ from, names }) => ({
      importer: path,
      target: resolveImport(path, from),
      names: new Set(names),
    })),
  );
}

function isDoor(path: string): boolean {
  return /^packages\/[^/]+\/index\.ts$/.test(path);
}

function isParameters(path: string): boolean {
  return /^packages\/[^/]+\/parameters\.ts$/.test(path);
}

function isSpokenOf(modules: readonly Module[], door: Module, name: string): boolean {
  const own = findDefinition(modules, door, name)?.node;
  if (own === undefined || !/^TS(TypeAlias|Interface)Declaration$/.test(own.type)) return false;
  return door.exports.some(other => {
    const node = other.name === name ? undefined : findDefinition(modules, door, other.name)?.node;
    return node !== undefined && wordsIn(node, 'signature').has(name);
  });
}

function findDefinition(
  modules: readonly Module[],
  module: Module,
  name: string,
): { node: SyntaxNode; documented: boolean } | undefined {
  const found = module.exports.find(candidate => candidate.name === name);
  if (found === undefined) return undefined;
  if (found.from === undefined) return module.definitions.get(found.local);
  const target = modules.find(({ path }) => path === resolveImport(module.path, found.from ?? ''));
  return target && findDefinition(modules, target, found.local);
}

/** The names of the fields of an object, and of the objects in it; places in a list have none. */
function fieldsOf(node: SyntaxNode): string[] {
  const fields: string[] = [];
  walk(node, inner => {
    const key = inner.type === 'Property' ? (inner['key'] as SyntaxNode) : undefined;
    if (key !== undefined && inner['computed'] !== true) fields.push(String(key['name'] ?? key['value']));
  });
  return fields.filter(field => !/^\d/.test(field));
}
