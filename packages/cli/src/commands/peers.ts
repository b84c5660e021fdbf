import type { CommandModule, Invocation } from '../command.ts';
import type { PeerDocument, PeerRow } from '../daemon/peer-documents.ts';

const afterHelp = `
Trust is 0.50 without evidence. What this node has seen, and what others say by
the weight of their own trust, moves it; your statements override both:
skerry config set trust.operator:NAME vouch (or deny, allow, 0 to 1).
"answers" is the probability that a node answers; "claim" is what round trips
say of where it says it is; show has all the evidence, with its age.
skerry peers ls --json is what skerry plan --peers takes.`;

async function ask(method: string, argument: object, invocation: Invocation): Promise<unknown> {
  const { connectDaemon } = await import('../daemon/client.ts');
  return (await connectDaemon(await invocation.findHome()).call(method, argument)).document;
}

async function list(invocation: Invocation): Promise<void> {
  const { renderPeers } = await import('../render/peer-text.ts');
  const document = (await ask('peers', {}, invocation)) as { peers: PeerRow[] };
  await invocation.print(document, () => renderPeers(document.peers, invocation));
}

async function show(nodeId: string, invocation: Invocation): Promise<void> {
  const { renderPeer } = await import('../render/peer-text.ts');
  const peer = (await ask('peer', { nodeId }, invocation)) as PeerDocument;
  await invocation.print(peer, () => renderPeer(peer, invocation.tableWidth));
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
      .description('one node: every number with its evidence and the age of that')
      .argument('<nodeid>')
      .action(async (nodeId: string) => show(nodeId, invocation));
  },
};
