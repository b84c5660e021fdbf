import { PassThrough, Readable } from 'node:stream';
import { type Io, main } from '../index.ts';

/** What a run is given besides its arguments. */
export type RunOptions = {
  readonly env?: Record<string, string>;
  readonly stdin?: Uint8Array;
  /** Columns of a terminal on standard output; none without. */
  readonly columns?: number;
};

/** What a run left. */
export type Captured = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

function capture(columns?: number): { stream: Io['stdout']; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return { stream: Object.assign(stream, terminal), text: () => Buffer.concat(chunks).toString('utf8') };
}

/** Runs the command line in this process, in a home that is not there unless the environment names one. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Captured> {
  const { env = {}, stdin = new Uint8Array(), columns } = options;
  const stdout = capture(columns);
  const stderr = capture();
  const io: Io = {
    stdin: Readable.from([stdin]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { SKERRY_HOME: '/nonexistent/skerry', ...env },
  };
  const exitCode = await main(argv, io);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** The one JSON document that standard output must be. */
export function documentIn({ stdout }: Pick<Captured, 'stdout'>): unknown {
  if (!stdout.endsWith('\n') || stdout.trimEnd().includes('\n')) throw new Error(`not one line: ${stdout}`);
  return JSON.parse(stdout);
}
