import { type Profile, profiles, type Risk, riskLevels, SkerryError } from '@skerry/base';
import type { EntropyReport } from '@skerry/entropy';
import type { Counts, Placement } from '@skerry/placement';
import { Option } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import type { Configuration } from '../configuration.ts';
import { readInteger } from '../flags.ts';
import type { PeersFile } from '../peers-file.ts';
import { chooseRisk } from '../risk-choice.ts';

type Flags = {
  readonly risk?: Risk;
  readonly peers?: string;
  readonly profile?: Profile;
  readonly acceptReduced?: boolean;
  readonly t?: number;
  readonly n?: number;
  readonly k?: number;
};

const afterHelp = `
The risk is the file's measured one, raised to the configured minimum; --risk
overrides the measurement. With --t, --n and --k the level's targets are
skipped, its hard caps never; the default level is then low.

Without --peers, the nodes that the daemon knows. A peers file is {"peers":
[...]}. Each entry has nodeId, location ("Reykjavik, IS", "64.15,-21.94" or
{name, lat, lon, country}) and perhaps operator, trust and availability (0 to
1).

Examples:
  skerry plan secrets.tar --peers peers.json
  skerry plan --risk high --profile local --peers peers.json --accept-reduced
  skerry plan --t 3 --n 5 --k 7 --json | jq .certificate.survives`;

/** t, n and k if they were given: all or none. */
function countsOf({ t, n, k }: Flags): Counts | undefined {
  if (t !== undefined && n !== undefined && k !== undefined) return { t, n, k };
  if (t === undefined && n === undefined && k === undefined) return undefined;
  throw new SkerryError('USAGE', 'give all of --t, --n and --k, or none; see skerry plan --help');
}

/** The level to plan for, with a warning where it is under the measured one. */
async function riskOf(
  flags: Flags,
  report: EntropyReport | undefined,
  configuration: Configuration,
  invocation: Invocation,
): Promise<Risk> {
  const measured = report?.risk ?? 'low';
  const { risk, downgraded } = chooseRisk(measured, configuration['risk-minimum'], flags.risk);
  if (downgraded) {
    await invocation.warn(
      `risk ${risk} is below the measured ${measured}: a downgrade, which seal would record`,
    );
  }
  return risk;
}

/** The nodes to choose from: those of a file, or those that the daemon knows. */
async function findPeers(
  path: string | undefined,
  configuration: Configuration,
  invocation: Invocation,
): Promise<PeersFile> {
  const { readPeers, readPeersFile } = await import('../peers-file.ts');
  const context = {
    trust: configuration.trust.value,
    // Not the package's door: that loads libp2p, several times what a plan takes.
    loadGazetteer: async () => (await import('@skerry/node/gazetteer')).loadGazetteer(),
  };
  if (path !== undefined) return readPeersFile(path, context);
  const { connectDaemon } = await import('../daemon/client.ts');
  const { document } = await connectDaemon(await invocation.findHome()).call('peers', {});
  return readPeers(document, 'the daemon', context);
}

/** The document of `plan --json`. */
function documentOf(
  placement: Placement,
  nodes: readonly import('../render/placement.ts').PlacedNode[],
  report: EntropyReport | undefined,
): object {
  const { risk, profile, reduced, manual, t, n, k, repairBudget, certificate } = placement;
  const shown = nodes.map(({ node, role, nearest }) => {
    const { nodeId, place: location, operator, trust, availability } = node;
    return { nodeId, location, operator, trust, availability, role, nearestKm: nearest.km };
  });
  const measured =
    report === undefined
      ? {}
      : {
          bytes: report.bytes,
          measuredRisk: report.risk,
          entropy: {
            window: report.window,
            shannon: report.shannon,
            minEntropy: report.minEntropy,
            normalized: report.normalized,
          },
        };
  return {
    risk,
    ...measured,
    profile,
    reduced,
    manual,
    simulated: certificate.simulated,
    t,
    n,
    k,
    repairBudget,
    holders: shown.filter(({ role }) => role !== 'standby'),
    standby: shown.filter(({ role }) => role === 'standby'),
    certificate,
  };
}

function describeMeasurement(path: string, { bytes, shannon, risk }: EntropyReport, size: string): string {
  const name = path === '-' ? 'standard input' : path;
  if (shannon === null)
    return `${name}: ${bytes} bytes, too short for an estimate: risk ${risk} by default.\n`;
  return `${name}: ${size}, ${shannon.mean.toFixed(2)} of 8 bits per byte: measured risk ${risk}.\n`;
}

async function runPlan(file: string | undefined, flags: Flags, invocation: Invocation): Promise<void> {
  const counts = countsOf(flags);
  if (file === undefined && flags.risk === undefined && counts === undefined) {
    throw new SkerryError('USAGE', 'give a FILE, --risk or --t, --n and --k; see skerry plan --help');
  }
  const configuration = await invocation.loadConfiguration();
  const { candidates, simulated } = await findPeers(flags.peers, configuration, invocation);
  const { measureInput } = await import('../measurement.ts');
  const { planPlacement } = await import('@skerry/placement');
  const options = {
    window: configuration.window.value,
    riskDefault: configuration['risk-default'].value,
  };
  const report = file === undefined ? undefined : await measureInput(file, options, invocation);
  const placement = planPlacement({
    candidates,
    risk: await riskOf(flags, report, configuration, invocation),
    profile: flags.profile ?? configuration.profile.value,
    acceptReduced: flags.acceptReduced === true,
    counts,
    simulated,
  });
  const { placedNodes, renderPlacement } = await import('../render/placement.ts');
  const { formatBytes } = await import('../render/format.ts');
  const { printable } = await import('../render/text.ts');
  await invocation.print(documentOf(placement, placedNodes(placement), report), () => {
    const { figureColumns: columns, tableWidth, color, paint } = invocation;
    const head =
      file === undefined || report === undefined
        ? ''
        : describeMeasurement(printable(file), report, formatBytes(report.bytes));
    return head + renderPlacement(placement, { columns, tableWidth, color, paint, candidates });
  });
}

/** `skerry plan`: a dry run of sizing and placement. */
export const planCommand: CommandModule = {
  declare(command, invocation) {
    command
      .description('Shows how a key would be split, who would hold its shares, why, and what that survives.')
      .argument('[file]', 'what the key is to protect; - for standard input')
      .addOption(new Option('--risk <level>', 'the level to plan for').choices(riskLevels))
      .option('--peers <file>', 'nodes to choose from, as JSON')
      .addOption(new Option('--profile <name>', 'the targets to meet').choices(profiles))
      .option('--accept-reduced', 'take the best placement within reach where the level is out of it')
      .option('--t <count>', 'shares that bring the key back', readInteger)
      .option('--n <count>', 'holders that are asked first', readInteger)
      .option('--k <count>', 'shares in all', readInteger)
      .addHelpText('after', afterHelp)
      .action((file: string | undefined, flags: Flags) => runPlan(file, flags, invocation));
  },
};
