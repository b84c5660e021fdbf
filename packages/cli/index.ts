export type { Io, TerminalStream } from './src/io.ts';
export { main } from './src/main.ts';
