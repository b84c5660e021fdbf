import { type Profile, profiles, SkerryError, wipe } from '@skerry/base';
import { Option } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';

type Flags = {
  readonly location?: string;
  readonly operator?: string;
  readonly profile?: Profile;
  readonly passphrase?: boolean;
  readonly passphraseFile?: string;
};

const afterHelp = `
Places resolve offline: "City, CC", "City, US-ST", or "lat,lon" in degrees.
Keys are kept in the home, readable by you alone: owner.key signs for your keys
and cannot be made again, so back it up. Under a passphrase they are age files;
--passphrase asks for it twice, else it is in --passphrase-file,
SKERRY_PASSPHRASE_FILE or passphrase-file. What no flag says of place, operator
and profile is taken from SKERRY_LOCATION, SKERRY_OPERATOR and SKERRY_PROFILE.
Say truly where the node is: a claim that round trips refute costs its trust.
--profile local is for nodes on one machine or LAN: there claims of place are
believed, as all round trips are near 0 (verify-place).

Examples:
  skerry init --location "Reykjavik, IS" --operator acme
  skerry init --home ./node1 --location 64.15,-21.94 --profile local
  skerry init --location "Madrid, ES" --passphrase`;

/** The passphrase that the keys are to be under: the caller's to wipe; undefined for none. */
async function choosePassphrase(flags: Flags, invocation: Invocation): Promise<Uint8Array | undefined> {
  if (flags.passphrase === true && flags.passphraseFile !== undefined)
    throw new SkerryError('USAGE', 'give --passphrase or --passphrase-file, not both');
  const { askNewPassphrase, readPassphraseFile } = await import('../passphrase.ts');
  if (flags.passphrase === true) return askNewPassphrase(invocation.io);
  const path = flags.passphraseFile ?? (await invocation.loadConfiguration())['passphrase-file'].value;
  return path === '' ? undefined : readPassphraseFile(path);
}

/** A new identity, of which only the name is kept. */
async function makeIdentity(home: string, flags: Flags, invocation: Invocation) {
  const { createIdentity } = await import('@skerry/node/identity');
  const passphrase = await choosePassphrase(flags, invocation);
  try {
    const { nodeId, nodeSeed, ownerSeed } = await createIdentity(home, passphrase);
    wipe(nodeSeed, ownerSeed);
    return { nodeId, passphrase: passphrase !== undefined };
  } finally {
    if (passphrase) wipe(passphrase);
  }
}

async function init(flags: Flags, invocation: Invocation): Promise<void> {
  const { loadGazetteer } = await import('@skerry/node/gazetteer');
  const { configurationPath, readConfigurationText } = await import('../configuration.ts');
  const { editConfiguration, replaceFile } = await import('../configuration-edit.ts');
  const { settings } = await import('../settings.ts');
  const home = await invocation.findHome();
  const configuration = await invocation.loadConfiguration();
  const location = flags.location ?? configuration.location.value;
  if (location === '') throw new SkerryError('USAGE', 'say where the node is: --location "Madrid, ES"');
  const gazetteer = await loadGazetteer();
  const { place, alternatives } = gazetteer.resolve(location);
  const label = gazetteer.labelOf(place);
  const operator = settings.operator.check(flags.operator ?? configuration.operator.value);
  if (operator === undefined) {
    throw new SkerryError('CONFIG_INVALID', `--operator must be ${settings.operator.allowed}`);
  }
  const { nodeId, passphrase } = await makeIdentity(home, flags, invocation);
  const path = configurationPath(home);
  let text = await readConfigurationText(path);
  const profile = flags.profile ?? configuration.profile.value;
  const values = { location: label, operator, profile };
  for (const [key, value] of Object.entries(values)) {
    text = editConfiguration(text, { table: undefined, key, value }, path);
  }
  await replaceFile(path, text);
  if (alternatives.length > 0) {
    const others = alternatives.map(other => gazetteer.labelOf(other)).join('; ');
    await invocation.warn(`${location} was taken as ${label}; others are ${others}`);
  }
  const document = {
    nodeId,
    home,
    location: place,
    operator,
    profile,
    passphrase,
    alternatives,
  };
  await invocation.print(document, () =>
    [
      `node      ${nodeId}`,
      `home      ${home}`,
      `place     ${label} (${place.lat}, ${place.lon})`,
      `operator  ${operator === '' ? '(none: the node counts as its own)' : operator}`,
      `profile   ${profile}`,
      `keys      ${passphrase ? 'under a passphrase, which nobody can bring back' : 'under no passphrase'}`,
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
      .option('--location <place>', 'where the node is: "Reykjavik, IS" or "lat,lon"')
      .option('--operator <name>', 'who runs it; nodes of one operator count as one party')
      .addOption(new Option('--profile <profile>', 'the targets that plans must meet').choices(profiles))
      .option('--passphrase', 'ask at the terminal for a passphrase that the keys will be under')
      .option('--passphrase-file <file>', 'where that passphrase is')
      .addHelpText('after', afterHelp)
      .action(async (flags: Flags) => init(flags, invocation));
  },
};
