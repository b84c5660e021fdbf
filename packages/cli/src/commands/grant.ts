import { SkerryError } from '@skerry/base';
import type { CommandModule, Invocation } from '../command.ts';
import { readInteger } from '../flags.ts';

type Flags = { readonly to: string; readonly for: string; readonly uses?: number };

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

const afterHelp = `
The token lets one node open one key, for an hour at most. Holders take it for
two minutes longer, as clocks differ; skerry revoke ends it sooner. Uses are
counted by each holder alone.

Example:
  skerry grant 3f9a51c0 --to 12D3KooW... --for 10m --uses 1`;

/** Milliseconds in a text such as 90s, 10m or 1h. */
function readDuration(text: string): number {
  const [, digits, unit] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const lifeMs = Number(digits) * (unitsMs[unit ?? ''] ?? Number.NaN);
  if (!(lifeMs > 0 && lifeMs <= 3_600_000)) {
    throw new SkerryError('USAGE', '--for is a time of up to an hour: 90s, 10m, 1h');
  }
  return lifeMs;
}

async function checkUses(uses: number): Promise<number> {
  const { grantUsesMax } = await import('@skerry/wire');
  if (uses >= 1 && uses <= grantUsesMax) return uses;
  throw new SkerryError('USAGE', `--uses is a whole number from 1 to ${grantUsesMax}`);
}

async function grant(key: string, flags: Flags, invocation: Invocation): Promise<void> {
  const { connectDaemon } = await import('../daemon/client.ts');
  const daemon = connectDaemon(await invocation.findHome());
  const lifeMs = readDuration(flags.for);
  const uses = flags.uses === undefined ? null : await checkUses(flags.uses);
  const { document } = await daemon.call('grant', { key, to: flags.to, lifeMs, uses });
  await invocation.print(document, () => `${(document as { token: string }).token}\n`);
}

/** `skerry grant`: a capability for another node. */
export const grantCommand: CommandModule = {
  declare(command, invocation) {
    command
      .argument('<key>', 'key id, or alias')
      .requiredOption('--to <nodeid>', 'the node that may open it')
      .option('--for <time>', 'how long: 90s, 10m, 1h', '1h')
      .option('--uses <n>', 'rounds allowed at each holder', readInteger)
      .addHelpText('after', afterHelp)
      .action(async (key: string, flags: Flags) => grant(key, flags, invocation));
  },
};
