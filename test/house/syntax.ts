/** What the tidy rules see of a TypeScript file: its tree, its imports, its exports and its definitions. */
import { parseAst } from 'vitest/node';

/** A node of the ESTree (TypeScript flavour) that vitest's own parser gives. */
export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

type Import = {
  readonly from: string;
  /** Names as the other module exports them. */
  readonly names: readonly string[];
};

type Export = { readonly name: string; readonly local: string; readonly from: string | undefined };

type Definition = { readonly node: SyntaxNode; readonly documented: boolean };

/** One parsed file. */
export type Module = {
  readonly path: string;
  readonly text: string;
  readonly tree: SyntaxNode;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  /** Top-level definitions by name. */
  readonly definitions: ReadonlyMap<string, Definition>;
};

/**
 * Parses one file.
 *
 * @param path from the root of the repository, with slashes
 * @param text TypeScript that parses
 */
export function parseModule(path: string, text: string): Module {
  const tree = parseAst(text, { lang: 'ts', astType: 'ts' }) as unknown as SyntaxNode;
  return {
    path,
    text,
    tree,
    imports: importsOf(tree),
    exports: exportsOf(tree),
    definitions: definitionsOf(tree, text),
  };
}

/**
 * Calls `visit` with every node under `node`, itself first, with its parent; `false` keeps it from going deeper.
 */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => boolean | void,
  parent?: SyntaxNode,
): void {
  if (visit(node, parent) === false) return;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, node);
  }
}

/** The line, from 1, on which an offset lies. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Every identifier and every string in a tree; function bodies are left out where only the signature counts. */
export function wordsIn(tree: SyntaxNode, part: 'everything' | 'signature' = 'everything'): Set<string> {
  const words = new Set<string>();
  walk(tree, node => {
    if (part === 'signature' && node.type === 'BlockStatement') return false;
    if (typeof node['name'] === 'string') words.add(node['name']);
    if (node.type === 'Literal' && typeof node['value'] === 'string') words.add(node['value']);
    return true;
  });
  return words;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nodes(value: unknown): SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name that an identifier or a string in its place stands for. */
function nameOf(value: unknown): string {
  if (!isNode(value)) return '';
  return String(value['name'] ?? value['value']);
}

function importsOf(tree: SyntaxNode): Import[] {
  const imports: Import[] = [];
  walk(tree, node => {
    if (!isNode(node['source']) || node['source'].type !== 'Literal') return;
    const named = nodes(node['specifiers']).map(specifier => importedName(specifier));
    // A namespace or a dynamic import may use whatever name the file mentions.
    const all = node.type === 'ImportExpression' || node.type === 'TSImportType' || named.includes('*');
    imports.push({ from: String(node['source']['value']), names: all ? [...wordsIn(tree)] : named });
  });
  return imports;
}

function importedName(specifier: SyntaxNode): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  if (specifier.type === 'ImportNamespaceSpecifier') return '*';
  return nameOf(specifier.type === 'ExportSpecifier' ? specifier['local'] : specifier['imported']);
}

function exportsOf(tree: SyntaxNode): Export[] {
  return nodes(tree['body']).flatMap(statement => {
    const from = isNode(statement['source']) ? String(statement['source']['value']) : undefined;
    if (statement.type === 'ExportAllDeclaration') return [{ name: '*', local: '*', from }];
    if (statement.type === 'ExportDefaultDeclaration') {
      return [{ name: 'default', local: 'default', from: undefined }];
    }
    if (statement.type !== 'ExportNamedDeclaration') return [];
    const declared = definedNames(statement['declaration']).map(([name]) => ({
      name,
      local: name,
      from: undefined,
    }));
    const listed = nodes(statement['specifiers']).map(specifier => ({
      name: nameOf(specifier['exported']),
      local: nameOf(specifier['local']),
      from,
    }));
    return [...declared, ...listed];
  });
}

/** Names that a declaration brings, each with the node that defines it. */
function definedNames(declaration: unknown): [string, SyntaxNode][] {
  if (!isNode(declaration)) return [];
  if (declaration.type !== 'VariableDeclaration') {
    return isNode(declaration['id']) ? [[nameOf(declaration['id']), declaration]] : [];
  }
  return nodes(declaration['declarations']).flatMap(declarator => {
    const pattern = declarator['id'] as SyntaxNode;
    const names = pattern.type === 'Identifier' ? [nameOf(pattern)] : [...wordsIn(pattern)];
    return names.map((name): [string, SyntaxNode] => [name, declarator]);
  });
}

function definitionsOf(tree: SyntaxNode, text: string): Map<string, Definition> {
  const definitions = new Map<string, Definition>();
  for (const statement of nodes(tree['body'])) {
    const documented = endsWithDocstring(text.slice(0, statement.start));
    for (const [name, node] of definedNames(statement['declaration'] ?? statement)) {
      // Of an overloaded function the first signature carries the docstring.
      if (!definitions.has(name)) definitions.set(name, { node, documented });
    }
  }
  return definitions;
}

function endsWithDocstring(before: string): boolean {
  const trimmed = before.trimEnd();
  return trimmed.endsWith('*/') && trimmed.startsWith('/**', trimmed.lastIndexOf('/*'));
}
