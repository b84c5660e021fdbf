/** Packages have their shape, documents their targets, and the words of the glossary their use. */
import { posix } from 'node:path';
import type { Module } from './syntax.ts';
import { isTest, packageOf, type TextFile } from './tree.ts';

const required = ['package.json', 'README.md', 'index.ts', 'src', 'test'];
const allowed = new Set([...required, 'parameters.ts', 'data', 'bin']);

/** Packages that lack a part or have one that no package has. */
export function misshapenPackages(files: readonly TextFile[]): string[] {
  const names = new Set(files.map(({ path }) => packageOf(path)).filter(name => name !== undefined));
  return [...names].flatMap(name => {
    const parts = new Set(
      files.filter(({ path }) => packageOf(path) === name).map(({ path }) => path.split('/')[2]!),
    );
    return [
      ...required.filter(part => !parts.has(part)).map(part => `packages/${name} lacks ${part}`),
      ...[...parts].filter(part => !allowed.has(part)).map(part => `packages/${name} has ${part}`),
    ];
  });
}

/** Links in documents to files or headings of the repository that are not there. */
export function brokenLinks(files: readonly TextFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(match => match[1]!)
        .filter(link => !/^[a-z]+:/.test(link) && !hasTarget(files, path, link))
        .map(link => `${path}: ${link}`),
    );
}

/**
 * Paths of the repository that a document names in code marks, or code (tests aside) in its comments, and that are
 * not there. A package's own README may name them from the package.
 */
export function wrongPaths(files: readonly TextFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const named = path.endsWith('.md')
      ? /`((?:packages|scripts|test|docs|\.ci)\/[\w./-]+)`/g
      : path.endsWith('.ts') && !isTest(path)
        ? /\b(docs\/[\w./-]+\.md)\b/g
        : /(?!)/g;
    return [...new Set([...text.matchAll(named)].map(match => match[1]!))]
      .filter(name => !exists(files, name) && !exists(files, posix.join(posix.dirname(path), name)))
      .map(name => `${path}: ${name}`);
  });
}

/** Decisions (docs/adr/NNNN-name.md) that the index does not link to, misnamed, or without one of their parts. */
export function looseDecisions(files: readonly TextFile[]): string[] {
  const index = files.find(({ path }) => path === 'docs/adr/README.md')?.text ?? '';
  return files
    .filter(({ path }) => path.startsWith('docs/adr/') && !path.endsWith('/README.md'))
    .flatMap(({ path, text }) => {
      const name = posix.basename(path);
      return [
        ...(/^\d{4}-[a-z0-9-]+\.md$/.test(name) ? [] : [`${path} is not NNNN-name.md`]),
        ...(index.includes(`](${name})`) ? [] : [`${path} is not in the index`]),
        ...['## Context', '## Decision', '## Consequences']
          .filter(heading => !text.includes(`\n${heading}\n`))
          .map(heading => `${path} lacks ${heading}`),
      ];
    });
}

/**
 * The words that a glossary explains: lines `- **word**, **other form**: meaning`.
 *
 * @param glossary docs/GLOSSARY.md
 */
export function glossaryTerms(glossary: string): string[] {
  return [...glossary.matchAll(/^- ((?:\*\*[^*]+\*\*(?:, )?)+):/gm)].flatMap(line =>
    [...line[1]!.matchAll(/\*\*([^*]+)\*\*/g)].map(term => term[1]!),
  );
}

/** Words of the glossary that no code uses: in its names (camel case counts) or its comments. */
export function unusedTerms(glossary: string, modules: readonly Module[]): string[] {
  const code = modules
    .map(({ text }) => text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase())
    .join('\n');
  const words = code.replace(/[\s*/_-]+/g, ' ');
  return glossaryTerms(glossary).filter(
    term => !new RegExp(`\\b${term.toLowerCase().replace(/[\s-]+/g, ' ')}s?\\b`).test(words),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`/g, '');
}

function hasTarget(files: readonly TextFile[], from: string, link: string): boolean {
  const [target, heading] = link.split('#', 2) as [string, string | undefined];
  const path = target === '' ? from : posix.join(posix.dirname(from), target);
  if (heading === undefined) return exists(files, path);
  return headings(files.find(candidate => candidate.path === path)?.text ?? '').includes(heading);
}

/** Whether a file or a folder is there. */
function exists(files: readonly TextFile[], name: string): boolean {
  const path = name.replace(/\/$/, '');
  return files.some(candidate => candidate.path === path || candidate.path.startsWith(`${path}/`));
}

/** The anchors that a forge gives to headings. */
function headings(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ +(.+)$/gm)].map(match =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}
