/** Keeps the house: each rule of docs/ARCHITECTURE.md, held against the whole repository. */
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
  layers,
  layersIn,
  libp2pOutsideNode,
  type Manifest,
  upwardImports,
} from './house/layers.ts';
import { longFiles, longFunctions } from './house/size.ts';
import { packageOf, readTree } from './house/tree.ts';
import { bannedMarks, tracesOfOrigin, unkebabPaths, vagueIdentifiers, vaguePaths } from './house/words.ts';

const { files, modules } = readTree();

function textOf(path: string): string {
  return files.find(file => file.path === path)?.text ?? '';
}

function manifestOf(path: string): Manifest {
  return JSON.parse(textOf(path)) as Manifest;
}

const packages = [...new Set(files.map(({ path }) => packageOf(path)).filter(name => name !== undefined))];

describe('size', () => {
  it('no file is longer than 400 lines', () => {
    expect(longFiles(modules)).toEqual([]);
  });

  it('no function is longer than 70 lines', () => {
    expect(longFunctions(modules)).toEqual([]);
  });
});

describe('exports', () => {
  it('every export is imported somewhere', () => {
    expect(deadExports(modules)).toEqual([]);
  });

  it('every module in src is reached from somewhere', () => {
    expect(deadModules(modules)).toEqual([]);
  });

  it('every name at a door is wanted outside the package or shown in its README', () => {
    expect(unwantedExports(modules, files)).toEqual([]);
  });

  it('every name at a door has a docstring where it is defined', () => {
    expect(undocumentedExports(modules)).toEqual([]);
  });

  it('doors hold named re-exports and nothing else', () => {
    expect(doorsThatDoMore(modules)).toEqual([]);
  });

  it('every parameter is read', () => {
    expect(unreadParameters(modules)).toEqual([]);
  });
});

describe('words', () => {
  it('no file or folder is named for nothing in particular', () => {
    expect(vaguePaths(files)).toEqual([]);
  });

  it('source files are named in kebab case', () => {
    expect(unkebabPaths(modules)).toEqual([]);
  });

  it('nothing in code is named for nothing in particular', () => {
    expect(vagueIdentifiers(modules)).toEqual([]);
  });

  it('no mark of unfinished work, of a silenced tool or of a test that does not run', () => {
    expect(bannedMarks(files)).toEqual([]);
  });

  it('no path of a machine and no host of a registry', () => {
    expect(tracesOfOrigin(files)).toEqual([]);
  });
});

describe('layers', () => {
  it('the table has every package, and docs/ARCHITECTURE.md shows the same table', () => {
    expect(layers.map(({ name }) => name).sort()).toEqual([...packages].sort());
    expect(layersIn(textOf('docs/ARCHITECTURE.md'))).toEqual(layers);
  });

  it('imports point down, and pure packages import pure ones only', () => {
    expect(upwardImports(modules)).toEqual([]);
  });

  it('packages meet at their doors', () => {
    const sideDoors = packages.flatMap(name =>
      Object.keys(manifestOf(`packages/${name}/package.json`).exports ?? {})
        .filter(path => path !== '.')
        .map(path => `@skerry/${name}${path.slice(1)}`),
    );
    expect(importsPastTheDoor(modules, new Set(sideDoors))).toEqual([]);
  });

  it('pure packages touch no clock, no chance and no Node', () => {
    expect(impurities(modules)).toEqual([]);
  });

  it('the pure tsconfig checks exactly the pure packages', () => {
    const { include } = JSON.parse(textOf('tsconfig.pure.json')) as { include: string[] };
    const pure = layers.filter(layer => layer.pure).map(({ name }) => `packages/${name}/index.ts`);
    expect(include).toEqual(pure);
  });

  it('only packages/node imports libp2p', () => {
    expect(libp2pOutsideNode(modules)).toEqual([]);
  });

  it('each package.json declares exactly what its package imports', () => {
    const shared = new Set(Object.keys(manifestOf('package.json').devDependencies ?? {}));
    const differences = packages.flatMap(name =>
      dependencyDifferences(name, manifestOf(`packages/${name}/package.json`), modules, shared),
    );
    expect(differences).toEqual([]);
  });
});

describe('documents', () => {
  it('every package has its parts and no others', () => {
    expect(misshapenPackages(files)).toEqual([]);
  });

  it('every link leads somewhere', () => {
    expect(brokenLinks(files)).toEqual([]);
  });

  it('paths that documents and comments name are there', () => {
    expect(wrongPaths(files)).toEqual([]);
  });

  it('every decision has its parts and is in the index', () => {
    expect(looseDecisions(files)).toEqual([]);
  });

  it('the glossary explains words that the code uses', () => {
    expect(glossaryTerms(textOf('docs/GLOSSARY.md')).length).toBeGreaterThan(20);
    expect(unusedTerms(textOf('docs/GLOSSARY.md'), modules)).toEqual([]);
  });
});
