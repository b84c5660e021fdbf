import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What is waited for on the terminal, and what is typed then. */
export type Exchange = readonly [expected: string, typed: string];

/** All that a terminal showed, and how the program on it ended. */
type Conversation = { readonly shown: string; readonly exitCode: number };

const program = `
import json, os, pty, signal, sys
argv, exchanges = json.loads(sys.argv[1])
signal.alarm(100)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
shown, seen = '', 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece.decode('utf-8', 'replace')
    while exchanges and exchanges[0][0] in shown[seen:]:
        expected, typed = exchanges.pop(0)
        seen = shown.index(expected, seen) + len(expected)
        os.write(terminal, typed.encode())
status = os.waitpid(pid, 0)[1]
print(json.dumps({'shown': shown, 'exitCode': os.waitstatus_to_exitcode(status)}))
`;

/** Runs a program on a terminal of its own, and types. */
export async function converse(
  argv: readonly string[],
  exchanges: readonly Exchange[],
): Promise<Conversation> {
  const child = spawn('python3', ['-c', program, JSON.stringify([argv, exchanges])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout)) as Conversation;
}
