/** Words that have no place in the house. No pattern here matches its own source: this file obeys its own rule. */
import { lineAt, type Module, walk } from './syntax.ts';
import type { TextFile } from './tree.ts';

const vagueNames = /^(utils?|helpers?|common|misc|types)$/;

/** Marks of unfinished work, of silenced tools and of tests that do not run. */
const marks = [
  /\b(TO(?:DO)|FIX(?:ME)|XX(?:X)|HA(?:CK))\b/,
  /@ts-(ignore|nocheck|expect-error)/,
  /(oxlint|eslint)-disable|biome-(?:ignore)/,
  /\.(only|skip|todo|skipIf|runIf)\(/,
];

/** Folders of one machine, and hosts that packages were fetched from. */
const origins = [
  /(?<![\w.-])\/(work|root|Users)\/\w/,
  /(?<![\w.-])\/home\/\w/,
  /\b[A-Z]:\\Users\\/,
  /\b(registry|mirror|artifactory|nexus|verdaccio|proxy)\.[a-z0-9-]+\.[a-z]{2,}\b/i,
  /\bnpm(?:js)\.(org|com)\b/,
  /"resolved": "https?:/,
];

const prose = /(\.(ts|md|sh|ya?ml)|Dockerfile|\.ci\/run)$/;

/** Files and folders named for nothing in particular. */
export function vaguePaths(files: readonly TextFile[]): string[] {
  return files
    .map(({ path }) => path)
    .filter(path => path.split(/[/.]/).some(part => part.split('-').some(word => vagueNames.test(word))));
}

/** Source files not in kebab case. */
export function unkebabPaths(modules: readonly Module[]): string[] {
  return modules
    .map(({ path }) => path)
    .filter(path => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(path));
}

/** Variables, functions and types named for nothing in particular. */
export function vagueIdentifiers(modules: readonly Module[]): string[] {
  return modules.flatMap(({ path, text, tree }) => {
    const found: string[] = [];
    walk(tree, node => {
      const name = String(node['name']);
      if (node.type !== 'Identifier' || !vagueNames.test(name) || name === 'types') return;
      found.push(`${path}:${lineAt(text, node.start)}: ${name}`);
    });
    return found;
  });
}

/** Marks of unfinished work in code and documents. */
export function bannedMarks(files: readonly TextFile[]): string[] {
  return linesThatMatch(
    files.filter(({ path }) => prose.test(path)),
    marks,
  );
}

/** Traces of the machine that a file was made on, in any file. */
export function tracesOfOrigin(files: readonly TextFile[]): string[] {
  return linesThatMatch(files, origins);
}

function linesThatMatch(files: readonly TextFile[], patterns: readonly RegExp[]): string[] {
  return files.flatMap(({ path, text }) =>
    patterns
      .filter(pattern => pattern.test(text))
      .map(pattern => {
        const match = pattern.exec(text)!;
        return `${path}:${lineAt(text, match.index)}: ${match[0]}`;
      }),
  );
}
