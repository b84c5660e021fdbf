import { SkerryError } from '@skerry/base';
import type { Candidate } from '@skerry/placement';
import type { CommandModule, Invocation } from '../command.ts';

type Peer = Omit<Candidate, 'place'> & {
  readonly location: Candidate['place'];
  readonly alive: boolean;
  readonly roundTripMs: number | null;
};

const afterHelp = `
Trust is neutral (0.50) unless you state otherwise: skerry config set trust.operator:NAME 0.8.
skerry peers ls --json is what skerry plan --peers takes.`;

async function askPeers(invocation: Invocation): Promise<Peer[]> {
  const { connectDaemon } = await import('../daemon/client.ts');
  const { document } = await connectDaemon(await invocation.findHome()).call('peers', {});
  return (document as { peers: Peer[] }).peers;
}

async function list(invocation: Invocation): Promise<void> {
  const { renderTable } = await import('../render/table.ts');
  const peers = await askPeers(invocation);
  await invocation.print({ peers }, () => {
    const rows = peers.map(({ nodeId, location, operator, trust, alive, roundTripMs }) => [
      location.name,
      location.country,
      operator ?? '',
      trust.toFixed(2),
      alive ? 'yes' : 'no',
      roundTripMs === null ? '' : `${roundTripMs.toFixed(0)} ms`,
      nodeId,
    ]);
    const titles = ['place', '', 'operator', 'trust', 'alive', 'round trip', 'node'];
    const columns = titles.map(title => ({ title }));
    return renderTable(rows, { columns, width: invocation.tableWidth, color: invocation.color });
  });
}

async function show(nodeId: string, invocation: Invocation): Promise<void> {
  const peer = (await askPeers(invocation)).find(candidate => candidate.nodeId === nodeId);
  if (!peer) throw new SkerryError('PEER_UNREACHABLE', `no node ${nodeId} is in the directory`, { nodeId });
  await invocation.print(peer, () => `${JSON.stringify(peer, null, 2)}\n`);
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
