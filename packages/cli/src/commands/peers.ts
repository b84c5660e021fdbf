import { SkerryError } from '@skerry/base';
import type { Candidate } from '@skerry/placement';
import { nodeColumnFromWidth } from '../../parameters.ts';
import type { CommandModule, Invocation } from '../command.ts';
import { printable } from '../render/text.ts';

type Peer = Omit<Candidate, 'place'> & {
  readonly location: Candidate['place'];
  readonly alive: boolean;
  readonly roundTripMs: number | null;
  readonly leastRoundTripMs: number | null;
};

const afterHelp = `
Trust is neutral (0.50) unless you state otherwise: skerry config set
trust.operator:NAME 0.8.
skerry peers ls --json is what skerry plan --peers takes.`;

async function askPeers(invocation: Invocation): Promise<Peer[]> {
  const { connectDaemon } = await import('../daemon/client.ts');
  const { document } = await connectDaemon(await invocation.findHome()).call('peers', {});
  return (document as { peers: Peer[] }).peers;
}

const milliseconds = (roundTripMs: number | null): string =>
  roundTripMs === null ? '' : `${roundTripMs.toFixed(0)} ms`;

async function list(invocation: Invocation): Promise<void> {
  const { renderTable } = await import('../render/table.ts');
  const peers = await askPeers(invocation);
  const { tableWidth: width, color } = invocation;
  // A node id is to be copied, so it is never cut: where there is little room it has a line of its own.
  const isNarrow = width !== undefined && width < nodeColumnFromWidth;
  await invocation.print({ peers }, () => {
    const rows = peers.map(({ nodeId, location, operator, trust, alive, roundTripMs }) => [
      location.name,
      location.country,
      operator ?? '',
      trust.toFixed(2),
      alive ? 'yes' : 'no',
      milliseconds(roundTripMs),
      ...(isNarrow ? [] : [nodeId]),
    ]);
    const titles = ['place', '', 'operator', 'trust', 'alive', 'round trip', ...(isNarrow ? [] : ['node'])];
    const table = renderTable(rows, { columns: titles.map(title => ({ title })), width, color });
    if (!isNarrow) return table;
    const [head, ...lines] = table.trimEnd().split('\n');
    return [head, ...lines.map((line, index) => `${line}\n  ${printable(peers[index]!.nodeId)}`), ''].join(
      '\n',
    );
  });
}

async function show(nodeId: string, invocation: Invocation): Promise<void> {
  const peer = (await askPeers(invocation)).find(candidate => candidate.nodeId === nodeId);
  if (!peer) throw new SkerryError('PEER_UNREACHABLE', `no node ${nodeId} is in the directory`, { nodeId });
  const { renderTable } = await import('../render/table.ts');
  await invocation.print(peer, () => {
    const { location, operator, trust, availability, alive, roundTripMs, leastRoundTripMs } = peer;
    const rows = [
      ['node', nodeId],
      ['place', `${location.name}, ${location.country} (${location.lat}, ${location.lon})`],
      ['operator', operator ?? 'none: the node counts as its own'],
      ['trust', trust.toFixed(2)],
      ['availability', availability.toFixed(2)],
      ['alive', alive ? 'yes' : 'no'],
      ['round trip', milliseconds(roundTripMs) || 'not measured'],
      ['at least', milliseconds(leastRoundTripMs) || 'not measured'],
    ];
    return renderTable(rows, { columns: [{ title: '' }, { title: '' }] });
  });
}

/** `skerry peers`: what this node knows of others. */
export const peersCommand: CommandModule = {
  declare(command, invocation) {
    command.addHelpText('after', afterHelp);
    command
      .command('ls', { isDefault: true })
      .description('the nodes in the directory (the default)')
      .action(async () => list(invocation));
    command
      .command('show')
      .description('one node')
      .argument('<nodeid>')
      .action(async (nodeId: string) => show(nodeId, invocation));
  },
};
