import type { Place } from '@skerry/placement';
import type { CommandModule } from '../command.ts';
import type { StandingDocument } from '../daemon/peer-documents.ts';

type Status = {
  readonly nodeId: string;
  readonly home: string;
  readonly location: Place;
  readonly operator: string;
  readonly listen: readonly string[];
  readonly peers: number;
  readonly alive: number;
  readonly shares: number;
  readonly keys: number;
  readonly keysBelowThreshold: readonly string[];
  readonly keysCritical: readonly string[];
  readonly keysReduced: readonly string[];
  readonly keysExposed: readonly string[];
  readonly standing: StandingDocument;
  readonly uptimeS: number;
};

/** A row for each text, the first one with the name. */
function linesOf(name: string, texts: readonly string[]): [string, string][] {
  const [first = 'none', ...others] = texts;
  return [[name, first], ...others.map((text): [string, string] => ['', text])];
}

/** How this node stands with others, in a line. */
function standingText({ trust, reports, place }: StandingDocument): string {
  const heard = reports.filter(({ weight }) => weight > 0).length;
  return `${trust.toFixed(2)}; reports: ${reports.length}, with weight here: ${heard}; place ${place.verdict} (skerry doctor)`;
}

/** `skerry status`: the daemon of a home. */
export const statusCommand: CommandModule = {
  declare(command, invocation) {
    command.action(async () => {
      const { connectDaemon } = await import('../daemon/client.ts');
      const { document } = await connectDaemon(await invocation.findHome()).call('status', {});
      const status = document as Status;
      const { renderTable } = await import('../render/table.ts');
      await invocation.print(status, () => {
        const rows = [
          ['node', status.nodeId],
          ['home', status.home],
          ['place', `${status.location.name}, ${status.location.country}`],
          ['operator', status.operator],
          ...linesOf('listens on', status.listen),
          ['peers', `${status.peers} known, ${status.alive} answer`],
          ['standing', standingText(status.standing)],
          ['shares held', String(status.shares)],
          ['keys owned', String(status.keys)],
          ...linesOf('below threshold', status.keysBelowThreshold),
          ...linesOf('critical', status.keysCritical),
          ...linesOf('reduced', status.keysReduced),
          ...linesOf('exposed', status.keysExposed),
        ];
        // Never cut: ids and addresses are to be copied.
        return renderTable(rows, { columns: [{ title: '' }, { title: '' }] });
      });
    });
  },
};
