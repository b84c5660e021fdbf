import { type Profile, profiles, SkerryError } from '@skerry/base';
import { Option } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';

type Flags = { readonly location: string; readonly operator?: string; readonly profile?: Profile };

const afterHelp = `
Places resolve offline: "City, CC", "City, US-ST", or "lat,lon" in degrees. Keys are kept in the home, readable by
you alone: owner.key signs for your keys and cannot be made again, so back it up.

Examples:
  skerry init --location "Reykjavik, IS" --operator acme
  skerry init --home ./node1 --location 64.15,-21.94 --profile local`;

async function init(flags: Flags, invocation: Invocation): Promise<void> {
  const { loadGazetteer } = await import('@skerry/node/gazetteer');
  const { createIdentity } = await import('@skerry/node/identity');
  const { configurationPath, readConfigurationText } = await import('../configuration.ts');
  const { editConfiguration, replaceFile } = await import('../configuration-edit.ts');
  const { settings } = await import('../settings.ts');
  const home = await invocation.findHome();
  const gazetteer = await loadGazetteer();
  const { place, alternatives } = gazetteer.resolve(flags.location);
  const label = gazetteer.labelOf(place);
  const operator = settings.operator.check(flags.operator ?? '');
  if (operator === undefined) {
    throw new SkerryError('CONFIG_INVALID', `--operator must be ${settings.operator.allowed}`);
  }
  const identity = await createIdentity(home);
  identity.nodeSeed.fill(0);
  identity.ownerSeed.fill(0);
  const path = configurationPath(home);
  let text = await readConfigurationText(path);
  const values = { location: label, operator, profile: flags.profile ?? 'open' };
  for (const [key, value] of Object.entries(values)) {
    text = editConfiguration(text, { table: undefined, key, value }, path);
  }
  await replaceFile(path, text);
  if (alternatives.length > 0) {
    const others = alternatives.map(other => gazetteer.labelOf(other)).join('; ');
    await invocation.warn(`${flags.location} was taken as ${label}; others are ${others}`);
  }
  const { nodeId } = identity;
  const document = { nodeId, home, location: place, operator, profile: values.profile, alternatives };
  await invocation.print(document, () =>
    [
      `node      ${nodeId}`,
      `home      ${home}`,
      `place     ${label} (${place.lat}, ${place.lon})`,
      `operator  ${operator === '' ? '(none: the node counts as its own)' : operator}`,
      `profile   ${values.profile}`,
      '',
      `Start it with: skerry run --home ${home}`,
      '',
    ].join('\n'),
  );
}

/** `skerry init`: an identity, a configuration and a data directory. */
export const initCommand: CommandModule = {
  declare(command, invocation) {
    command
      .requiredOption('--location <place>', 'where the node is: "Reykjavik, IS" or "lat,lon"')
      .option('--operator <name>', 'who runs it; nodes of one operator count as one party')
      .addOption(new Option('--profile <profile>', 'the targets that plans must meet').choices(profiles))
      .addHelpText('after', afterHelp)
      .action(async (flags: Flags) => init(flags, invocation));
  },
};
