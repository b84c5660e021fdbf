import { type Risk, riskLevels, SkerryError, toHex, wipe } from '@skerry/base';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { aliasLengthMax } from '../../parameters.ts';
import { isAlias } from '../alias.ts';
import type { CommandModule, Invocation } from '../command.ts';
import type { Daemon } from '../daemon/client.ts';
import type { ExplainDocument } from '../daemon/key-evidence.ts';
import { readInteger } from '../flags.ts';
import { declareGrantFlags, type GrantFlags, readGrant } from '../grant-token.ts';
import type { KeyDocument } from '../key-document.ts';
import { type Endings, endingsText, keyText, type RepairDocument, repairText } from '../render/key-text.ts';

type Flags = {
  readonly risk: Risk;
  readonly t?: number;
  readonly n?: number;
  readonly k?: number;
  readonly alias?: string;
  readonly acceptReduced?: boolean;
};

const afterHelp = `
Examples:
  skerry key create --alias backups --risk high
  openssl rand 32 | skerry key import - --t 3 --n 4 --k 5
  skerry key open backups > key.bin
  skerry key ls
  skerry key repair backups
  skerry key repair backups --from 12D3KooW...
  skerry key reshare backups --risk high

Keys heal by themselves while the daemon audits (settings audit-minutes and
refresh-days); repair and refresh do at once what they would do in time. A key
that is EXPOSED is mended by neither: see skerry reseal.

A key goes by its alias, its id, or the first 8 or more digits of its id.`;

/** Bytes of a key that create makes. */
const createdBytes = 32;

/** Bytes of a key, at most. */
const keyBytesMax = 65_536;

function readAlias(text: string): string {
  if (isAlias(text)) return text;
  throw new InvalidArgumentError(
    `It must be 1 to ${aliasLengthMax} printable characters, with no space around them, and no key id.`,
  );
}

async function connect(invocation: Invocation): Promise<Daemon> {
  const { connectDaemon } = await import('../daemon/client.ts');
  return connectDaemon(await invocation.findHome());
}

async function deal(key: Uint8Array, flags: Flags, invocation: Invocation): Promise<void> {
  const { risk, alias } = flags;
  const counts = countsIn(flags);
  const configuration = await invocation.loadConfiguration();
  const { chooseRisk } = await import('../risk-choice.ts');
  const daemon = await connect(invocation);
  const { daemonKeys } = await import('../daemon/keys.ts');
  const keys = daemonKeys(daemon);
  try {
    const slot = await keys.reserveKey();
    await keys.deal(slot, key, {
      risk: chooseRisk('low', configuration['risk-minimum'], risk).risk,
      acceptReduced: flags.acceptReduced === true,
      kind: 'extractable',
      ...(counts && { counts }),
      ...(alias !== undefined && { alias }),
    });
    await (await import('../backup-warning.ts')).warnOfBackup(await invocation.findHome(), invocation);
    await show(toHex(slot.keyId), invocation);
  } finally {
    wipe(key);
  }
}

async function readKey(path: string, invocation: Invocation): Promise<Uint8Array> {
  const { readInput } = await import('../input-file.ts');
  const progress = invocation.startProgress();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of readInput(path, invocation.io, progress)) {
      length += chunk.length;
      if (length > keyBytesMax) break;
      chunks.push(Uint8Array.from(chunk));
    }
  } finally {
    progress.clear();
  }
  if (length === 0 || length > keyBytesMax) throw new SkerryError('SECRET_EMPTY', '', { bytes: length });
  const key = new Uint8Array(Buffer.concat(chunks));
  wipe(...chunks);
  return key;
}

async function show(name: string, invocation: Invocation): Promise<void> {
  const { document } = await (await connect(invocation)).call('key', { key: name });
  const key = document as KeyDocument & Endings;
  await invocation.print(key, () => `${keyText(key)}${endingsText(key)}`);
}

async function explain(name: string, invocation: Invocation): Promise<void> {
  const { document } = await (await connect(invocation)).call('explain', { key: name });
  const { renderThenAndNow } = await import('../render/explain-text.ts');
  const { renderPromises, renderTargets } = await import('../render/placement.ts');
  await invocation.print(document, () => {
    const key = document as ExplainDocument;
    const display = { tableWidth: invocation.tableWidth, color: invocation.color, paint: invocation.paint };
    return [
      keyText(key),
      'when it was dealt, and now',
      renderThenAndNow(key.holders, display),
      renderTargets(key.certificate, display),
      renderPromises(key.certificate),
    ].join('\n');
  });
}

async function list(invocation: Invocation): Promise<void> {
  const { document } = await (await connect(invocation)).call('keys', {});
  const { renderTable } = await import('../render/table.ts');
  const { keys } = document as { keys: KeyDocument[] };
  await invocation.print(document, () => {
    const rows = keys.map(
      ({ keyId, alias, purpose, risk, reduced, exposed, destroyed, t, k, live, margin, level: state }) => {
        const mark = exposed ? ' EXPOSED' : reduced ? ' REDUCED' : '';
        const level = destroyed ? 'DESTROYED' : `${risk}${mark}`;
        const health = destroyed ? ['', ''] : [String(live), `${margin} ${state}`];
        return [keyId.slice(0, 16), alias ?? '', purpose, level, `${t} of ${k}`, ...health];
      },
    );
    const titles = ['key', 'alias', 'for', 'risk', 'needed', 'live', 'margin'];
    const columns = titles.map(title => ({ title }));
    return renderTable(rows, { columns, width: invocation.tableWidth, color: invocation.color });
  });
}

async function open(name: string, flags: GrantFlags, invocation: Invocation): Promise<void> {
  const grant = await readGrant(flags, invocation.io);
  const { document, secret } = await (await connect(invocation)).call('open', { key: name }, grant);
  if (invocation.json) {
    const value = Buffer.from(secret).toString('base64');
    return invocation.print({ ...(document as object), key: value }, () => '');
  }
  const { writeText } = await import('../io.ts');
  await writeText(invocation.io.stdout, secret);
  wipe(secret);
}

/** What is given of t, n and k: all or none. */
function countsIn({ t, n, k }: Flags): { t: number; n: number; k: number } | undefined {
  if (t === undefined && n === undefined && k === undefined) return undefined;
  if (t !== undefined && n !== undefined && k !== undefined) return { t, n, k };
  throw new SkerryError('USAGE', 'give all of --t, --n and --k, or none');
}

/** Deals a key anew: as it is, or with another level or other counts. */
async function refresh(name: string, flags: Partial<Flags>, invocation: Invocation): Promise<void> {
  const { risk, acceptReduced = false } = flags;
  const wanted = { ...(risk && { risk }), acceptReduced, ...countsIn(flags as Flags) };
  const progress = invocation.startProgress();
  progress.show(() => 'dealing the key anew');
  try {
    const { document } = await (await connect(invocation)).call('refresh', { key: name, ...wanted });
    progress.clear();
    await invocation.print(document, () => keyText(document as KeyDocument));
  } finally {
    progress.clear();
  }
}

/** Moves the points of holders that do not prove their shares, or of one that is named. */
async function repair(
  name: string,
  flags: { readonly from?: string },
  invocation: Invocation,
): Promise<void> {
  const progress = invocation.startProgress();
  progress.show(() => 'asking holders to prove their shares');
  try {
    const who = flags.from === undefined ? {} : { nodeId: flags.from };
    const { document } = await (await connect(invocation)).call('repair', { key: name, ...who });
    progress.clear();
    const key = document as RepairDocument;
    const stuck = key.points.filter(({ code }) => code !== null);
    if (stuck.length > 0) {
      const why = stuck.map(({ from, code }) => `${from}: ${code}`).join('; ');
      const counts = { moved: key.points.length - stuck.length, stuck: stuck.length, margin: key.margin };
      throw new SkerryError('REPAIR_PENDING', `${stuck.length} shares stay where they are (${why})`, counts);
    }
    await invocation.print(document, () => `${repairText(key)}${keyText(key)}`);
  } finally {
    progress.clear();
  }
}

async function destroy(name: string, invocation: Invocation): Promise<void> {
  const { document } = await (await connect(invocation)).call('destroy', { key: name });
  const { reportEnding } = await import('../render/ending.ts');
  await reportEnding(document, 'DESTRUCTION_PENDING', invocation);
}

/** The level, and how many hold and open. */
function declareCounts(command: Command, risk: Option): Command {
  return command
    .addOption(risk)
    .option('--t <t>', 'shares needed', readInteger)
    .option('--n <n>', 'holders asked first', readInteger)
    .option('--k <k>', 'holders in all', readInteger);
}

/** `skerry key`: keys of this home's owner. */
export const keyCommand: CommandModule = {
  declare(command, invocation) {
    command.addHelpText('after', afterHelp);
    for (const name of ['create', 'import'] as const) {
      const sub = command
        .command(name)
        .description(
          name === 'create' ? 'deal a new random key of 32 bytes' : 'deal bytes that you give, 1 to 65,536',
        );
      if (name === 'import') sub.argument('<file>', 'the bytes; - for standard input');
      const risk = new Option('--risk <level>', 'how well it is protected').choices(riskLevels);
      declareCounts(sub, risk.default('low'))
        .option('--alias <name>', 'a name for it', readAlias)
        .option('--accept-reduced', 'take the best placement where the level is out of reach')
        .action(async (first: unknown, second: Flags) => {
          if (name === 'import') return deal(await readKey(String(first), invocation), second, invocation);
          const { nodeRandom } = await import('@skerry/crypto');
          return deal(nodeRandom.bytes(createdBytes), first as Flags, invocation);
        });
    }
    declareGrantFlags(command.command('open'))
      .description('write the bytes of a key to standard output')
      .argument('<key>', 'key id, or alias')
      .action(async (name: string, flags: GrantFlags) => open(name, flags, invocation));
    command
      .command('ls', { isDefault: true })
      .description('the keys of this home (the default)')
      .action(async () => list(invocation));
    command
      .command('show')
      .description('a key, its holders and the grants that are good')
      .argument('<key>', 'key id, or alias')
      .action(async (name: string) => show(name, invocation));
    command
      .command('explain')
      .description('why a key has its holders, and what is known of them by now')
      .argument('<key>', 'key id, or alias')
      .action(async (name: string) => explain(name, invocation));
    command
      .command('refresh')
      .description('deal a key anew, by other shares: who collected some begins again')
      .argument('<key>', 'key id, or alias')
      .action(async (name: string) => refresh(name, {}, invocation));
    const reshare = command
      .command('reshare')
      .description('deal a key anew for another level, or among other numbers of holders')
      .argument('<key>', 'key id, or alias');
    declareCounts(reshare, new Option('--risk <level>', 'how well it is protected').choices(riskLevels))
      .option('--accept-reduced', 'take the best placement where the level is out of reach')
      .action(async (name: string, flags: Partial<Flags>) => {
        if (Object.keys(flags).length === 0)
          throw new SkerryError('USAGE', 'say what is to change: --risk, or --t, --n and --k');
        await refresh(name, flags, invocation);
      });
    command
      .command('repair')
      .description('have shares made again elsewhere whose holders do not prove them now')
      .argument('<key>', 'key id, or alias')
      .option('--from <node>', 'move the share of this node, whatever it proves')
      .action(async (name: string, flags: { readonly from?: string }) => repair(name, flags, invocation));
    command
      .command('destroy')
      .description('have every holder erase its share of a key: nothing brings it back, nor what it sealed')
      .argument('<key>', 'key id, or alias')
      .action(async (name: string) => destroy(name, invocation));
  },
};
