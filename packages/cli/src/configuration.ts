import { join } from 'node:path';
import { SkerryError } from '@skerry/base';
import { parse, TomlError } from 'smol-toml';
import { configurationBytesMax } from '../parameters.ts';
import { readBoundedText } from './bounded-file.ts';
import type { Io } from './io.ts';
import {
  isSettingKey,
  type Setting,
  type SettingKey,
  type SettingValue,
  settingError,
  settingKeys,
  settings,
  unknownKeyError,
} from './settings.ts';

/** A value and where it comes from: `default`, the path of the file, or an environment variable's name. */
export type Sourced<T> = { readonly value: T; readonly source: string };

/** Every setting, with its value in force. */
export type Configuration = { readonly [K in SettingKey]: Sourced<SettingValue<K>> };

/** A parsed configuration file: keys that it may have, values not yet checked. */
type ConfigurationDocument = Record<string, unknown>;

/**
 * The configuration file of a home.
 *
 * @param home a node's home directory
 */
export function configurationPath(home: string): string {
  return join(home, 'config.toml');
}

/**
 * The text of a configuration file; empty where there is no file.
 *
 * @param path see `configurationPath`
 * @throws CONFIG_INVALID when it is too large; FILE_UNREADABLE when it is there and cannot be read
 */
export async function readConfigurationText(path: string): Promise<string> {
  try {
    const text = await readBoundedText(path, configurationBytesMax);
    if (text !== undefined) return text;
  } catch (error) {
    if (error instanceof SkerryError && error.metadata['reason'] === 'ENOENT') return '';
    throw error;
  }
  throw new SkerryError(
    'CONFIG_INVALID',
    `${path} has more than ${configurationBytesMax} bytes; is it a configuration file?`,
    { path },
  );
}

/**
 * The tables and keys of a configuration file.
 *
 * @param text TOML
 * @param source the file's path, for errors
 * @throws CONFIG_INVALID when it is not TOML
 */
export function parseConfiguration(text: string, source: string): ConfigurationDocument {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const reason = cause.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '');
    throw new SkerryError(
      'CONFIG_INVALID',
      `${source} is not TOML at line ${cause.line}, column ${cause.column}: ${reason}`,
      { path: source, line: cause.line, column: cause.column },
      cause,
    );
  }
}

function checked<T>(key: string, setting: Setting<T>, value: unknown, source: string): Sourced<T> {
  const valid = setting.check(value);
  if (valid === undefined) throw settingError(key, source, setting.allowed);
  return { value: valid, source };
}

/**
 * The configuration in force: environment over file over defaults. Every value is checked, wherever it comes from.
 *
 * @param document the parsed file
 * @param source the file's path
 * @param env the environment; an empty variable counts as absent
 * @throws CONFIG_INVALID naming the key, its source and what is allowed
 */
export function resolveConfiguration(
  document: ConfigurationDocument,
  source: string,
  env: Io['env'],
): Configuration {
  const unknown = Object.keys(document).find(key => !isSettingKey(key));
  if (unknown !== undefined) throw unknownKeyError(unknown, source);
  const valueOf = <T>(key: SettingKey, setting: Setting<T>): Sourced<T> => {
    const text = setting.env === undefined ? undefined : env[setting.env];
    const inFile = Object.hasOwn(document, key)
      ? checked(key, setting, document[key], source)
      : { value: setting.default, source: 'default' };
    if (text === undefined || text === '') return inFile;
    return checked(key, setting, setting.fromText(text), setting.env!);
  };
  const entries = settingKeys.map(key => [key, valueOf<unknown>(key, settings[key])]);
  return Object.fromEntries(entries) as Configuration;
}

/**
 * Reads a home's configuration. A home that is not there has the defaults.
 *
 * @param home a node's home directory
 * @param env the environment
 * @throws CONFIG_INVALID, FILE_UNREADABLE
 */
export async function loadConfiguration(home: string, env: Io['env']): Promise<Configuration> {
  const path = configurationPath(home);
  return resolveConfiguration(parseConfiguration(await readConfigurationText(path), path), path, env);
}
