import type { Command } from 'commander';
import type { Configuration } from './configuration.ts';
import { findHome } from './home.ts';
import { columnsOf, figureColumns, type Io, takesColor, writeText } from './io.ts';
import { createProgress, type Progress } from './render/progress.ts';
import { createPaint, type Paint, printable, toJsonLine } from './render/text.ts';

/** What a command's action has of the run that it is part of. The global flags are known once the action runs. */
export type Invocation = {
  readonly io: Io;
  /** Whether to write JSON: one document on standard output and nothing else there. */
  readonly json: boolean;
  /** Whether to say only what was asked for: no progress, no warnings. */
  readonly quiet: boolean;
  /** Whether standard output takes colours. */
  readonly color: boolean;
  /** Gives text a look where standard output takes colours. */
  readonly paint: Paint;
  /** Columns of a map or plot on standard output. */
  readonly figureColumns: number;
  /** Columns of a table on standard output; undefined where it is no terminal: then nothing is cut. */
  readonly tableWidth: number | undefined;
  /** The home directory; it may not exist. */
  readonly findHome: () => Promise<string>;
  /** The configuration in force. Throws CONFIG_INVALID, FILE_UNREADABLE. */
  readonly loadConfiguration: () => Promise<Configuration>;
  /** Writes the result: the document with --json, else the text. */
  readonly print: (document: unknown, renderText: () => string) => Promise<void>;
  /** Writes a line for a person to standard error, unless quiet. */
  readonly warn: (message: string) => Promise<void>;
  /** A progress line on standard error. */
  readonly startProgress: () => Progress;
  /** What the process ends with where the result was printed, and yet is not what it should be: 1, else 0. */
  exitCode: 0 | 1;
};

/** A command: what its file in src/commands exports. */
export type CommandModule = {
  /**
   * Declares arguments, options, help and action on the command, whose name and summary are set. Light: what the
   * action needs beyond the flags' own checks is imported in the action.
   */
  readonly declare: (command: Command, invocation: Invocation) => void;
};

/** Flags that every command takes. */
type GlobalFlags = {
  readonly home?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
};

/**
 * The invocation of one run.
 *
 * @param program has the global flags; it is read when they are asked for
 * @param io what the run reads and writes
 */
export function createInvocation(program: Command, io: Io): Invocation {
  const flags = (): GlobalFlags => program.opts<GlobalFlags>();
  const home = (): Promise<string> => findHome(flags().home, io.env);
  return {
    io,
    get json() {
      return flags().json === true;
    },
    get quiet() {
      return flags().quiet === true;
    },
    color: takesColor(io),
    paint: createPaint(takesColor(io)),
    figureColumns: figureColumns(io.stdout),
    exitCode: 0,
    tableWidth: io.stdout.isTTY === true ? columnsOf(io.stdout) : undefined,
    findHome: home,
    async loadConfiguration() {
      const { loadConfiguration } = await import('./configuration.ts');
      return loadConfiguration(await home(), io.env);
    },
    print(document, renderText) {
      return writeText(io.stdout, flags().json === true ? toJsonLine(document) : renderText());
    },
    async warn(message) {
      if (flags().quiet !== true) await writeText(io.stderr, `skerry: ${printable(message)}\n`);
    },
    startProgress() {
      // Not @skerry/crypto's clock: its door also loads HPKE, which few commands need.
      return createProgress({ stream: io.stderr, quiet: flags().quiet === true, clock: { nowMs: Date.now } });
    },
  };
}
