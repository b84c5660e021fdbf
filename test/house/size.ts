/** Nothing longer than a reader can hold. */
import { lineAt, type Module, type SyntaxNode, walk } from './syntax.ts';

const functionLinesMax = 70;
const fileLinesMax = 400;
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Files of more than 400 lines. */
export function longFiles(modules: readonly Module[]): string[] {
  return modules
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > fileLinesMax)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}

/** Functions of more than 70 lines, what is inside them included; the block of a `describe` is no function. */
export function longFunctions(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, text, tree }) => {
    const long: string[] = [];
    walk(tree, (node, parent) => {
      if (!functionTypes.has(node.type) || isDescribe(parent)) return;
      const lines = text.slice(node.start, node.end).split('\n').length;
      if (lines > functionLinesMax) long.push(`${path}:${lineAt(text, node.start)}: ${lines} lines`);
    });
    return long;
  });
}

function isDescribe(parent: SyntaxNode | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false;
  const callee = parent['callee'] as SyntaxNode;
  return callee['name'] === 'describe';
}
