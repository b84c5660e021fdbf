import { SkerryError } from '@skerry/base';
import type { TrustStatements } from '@skerry/trust';
import type { Command } from 'commander';
import type { CommandModule, Invocation } from '../command.ts';
import type { Configuration, Sourced } from '../configuration.ts';
import type { Setting, SettingKey } from '../settings.ts';

const afterHelp = `
Values come from SKERRY_* variables, then HOME/config.toml, then defaults;
flags of a command win over all.
Trust has a table of its own, [trust]: for a node id or "operator:NAME" a number
from 0 to 1, which stands for all evidence, or a word: deny (the same as 0),
allow (0.50 at least, as a stranger has), vouch (0.80 at least, enough for high
risk). The daemon takes a change in when it next starts.

Examples:
  skerry config
  skerry config get profile
  skerry config set risk-minimum medium
  skerry config set trust.operator:acme vouch`;

const trustPrefix = 'trust.';

/** A value as a person reads and types it. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, trust]) => `${name}=${trust}`)
    .join(',');
}

async function listSettings(invocation: Invocation): Promise<void> {
  const home = await invocation.findHome();
  const configuration = await invocation.loadConfiguration();
  const { renderTable } = await import('../render/table.ts');
  const { settings } = await import('../settings.ts');
  await invocation.print({ home, settings: configuration }, () => {
    const rows = (Object.keys(configuration) as SettingKey[]).map(key => {
      const { value, source } = configuration[key];
      return [key, textOf(value), source, settings[key].purpose];
    });
    return renderTable(rows, {
      columns: [{ title: 'setting' }, { title: 'value' }, { title: 'from' }, { title: 'what it is' }],
      width: invocation.tableWidth,
      color: invocation.color,
    });
  });
}

/** A setting in force, or one statement of trust. */
function lookUp(configuration: Configuration, key: string, isKey: (key: string) => key is SettingKey) {
  if (isKey(key)) return configuration[key] as Sourced<unknown>;
  if (!key.startsWith(trustPrefix)) return undefined;
  const { source } = configuration.trust;
  const value: TrustStatements = configuration.trust.value;
  const name = key.slice(trustPrefix.length);
  return Object.hasOwn(value, name) ? { value: value[name], source } : undefined;
}

async function getSetting(key: string, invocation: Invocation): Promise<void> {
  const { isSettingKey, unknownKeyError } = await import('../settings.ts');
  const found = lookUp(await invocation.loadConfiguration(), key, isSettingKey);
  if (found === undefined) throw unknownKeyError(key, 'the command line');
  const { printable } = await import('../render/text.ts');
  await invocation.print({ key, ...found }, () => `${printable(textOf(found.value))}\n`);
}

async function setSetting(key: string, text: string, invocation: Invocation): Promise<void> {
  const { isSettingKey, settingError, settings, unknownKeyError } = await import('../settings.ts');
  const { configurationPath, parseConfiguration, readConfigurationText, resolveConfiguration } = await import(
    '../configuration.ts'
  );
  const { editConfiguration, replaceFile } = await import('../configuration-edit.ts');
  const inTrust = key.startsWith(trustPrefix);
  if (key === 'trust') {
    throw new SkerryError('CONFIG_INVALID', 'trust is a table; set trust.NODEID or trust.operator:NAME', {
      key,
    });
  }
  if (!inTrust && !isSettingKey(key)) throw unknownKeyError(key, 'the command line');
  const setting: Setting<unknown> = settings[inTrust ? 'trust' : (key as SettingKey)];
  const raw = setting.fromText(text);
  const name = inTrust ? key.slice(trustPrefix.length) : key;
  const value = setting.check(inTrust ? { [name]: raw } : raw);
  if (value === undefined) throw settingError(key, 'the command line', setting.allowed);
  if (key === 'location' && text !== '') {
    (await (await import('@skerry/node/gazetteer')).loadGazetteer()).resolve(text);
  }
  const path = configurationPath(await invocation.findHome());
  const old = await readConfigurationText(path);
  const table = inTrust ? 'trust' : undefined;
  const edited = editConfiguration(old, { table, key: name, value: raw as string | number | string[] }, path);
  const configuration = resolveConfiguration(parseConfiguration(edited, path), path, invocation.io.env);
  await replaceFile(path, edited);
  const { source } = configuration[inTrust ? 'trust' : (key as SettingKey)];
  if (source !== path) await invocation.warn(`${source} is set and wins over ${path}`);
  await invocation.print({ key, value: raw, path }, () => `${key} = ${textOf(raw)}, in ${path}\n`);
}

async function showPath(invocation: Invocation): Promise<void> {
  const { configurationPath } = await import('../configuration.ts');
  const path = configurationPath(await invocation.findHome());
  await invocation.print({ path }, () => `${path}\n`);
}

/** `skerry config`: every setting with its value and where that comes from. */
export const configCommand: CommandModule = {
  declare(command: Command, invocation) {
    command.description('Shows or changes the configuration.').addHelpText('after', afterHelp);
    command
      .command('ls', { isDefault: true })
      .description('all settings, their values and where these come from (the default)')
      .action(() => listSettings(invocation));
    command
      .command('get')
      .description('the value of one setting')
      .argument('<key>', 'its name, or trust.NAME')
      .action((key: string) => getSetting(key, invocation));
    command
      .command('set')
      .description('write a value to the configuration file; lists have commas')
      .argument('<key>', 'its name, or trust.NAME')
      .argument('<value>', 'the new value')
      .action((key: string, value: string) => setSetting(key, value, invocation));
    command
      .command('path')
      .description('where the configuration file is, or would be')
      .action(() => showPath(invocation));
  },
};
