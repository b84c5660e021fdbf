import { isAbsolute } from 'node:path';
import { type Profile, profiles, type Risk, riskLevels, SkerryError } from '@skerry/base';
import { createMeter } from '@skerry/entropy';
import { placeTextMax } from '@skerry/placement';
import { statementWords, type TrustStatement, type TrustStatements } from '@skerry/trust';
import {
  addressesMax,
  addressLengthMax,
  auditMinutesDefault,
  auditMinutesMax,
  capacityDefault,
  capacityMax,
  listenDefault,
  nodeIdLengthMax,
  operatorLengthMax,
  pathLengthMax,
  refreshDaysDefault,
  refreshDaysMax,
} from '../parameters.ts';

/** One thing that can be configured. */
export type Setting<T> = {
  readonly default: T;
  /** The environment variable that overrides the file, if there is one. */
  readonly env: string | undefined;
  /** What it is for, in a few words. */
  readonly purpose: string;
  /** What values are allowed, in words, to follow "must be". */
  readonly allowed: string;
  /** The value that a text stands for, as TOML would give it; not yet checked. */
  readonly fromText: (text: string) => unknown;
  /** The value, checked, or undefined where it is not allowed. */
  readonly check: (value: unknown) => T | undefined;
};

const asText = (text: string): unknown => text;
const asNumber = (text: string): unknown => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
const asList = (text: string): unknown =>
  text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');

function isPrintable(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && value.length <= lengthMax && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value);
}

function choice<T extends string>(env: string, purpose: string, values: readonly T[], preset: T): Setting<T> {
  return {
    default: preset,
    env,
    purpose,
    allowed: `one of ${values.join(', ')}`,
    fromText: asText,
    check: value => values.find(candidate => candidate === value),
  };
}

function text(env: string, purpose: string, lengthMax: number): Setting<string> {
  return {
    default: '',
    env,
    purpose,
    allowed: `at most ${lengthMax} printable characters`,
    fromText: asText,
    check: value => (isPrintable(value, lengthMax) ? value : undefined),
  };
}

function path(env: string, purpose: string): Setting<string> {
  return {
    default: '',
    env,
    purpose,
    allowed: `an absolute path of at most ${pathLengthMax} printable characters`,
    fromText: asText,
    // Not a relative one: a service's folder is not the one where its configuration was written.
    check: value =>
      value === '' || (isPrintable(value, pathLengthMax) && isAbsolute(value)) ? value : undefined,
  };
}

function addresses(env: string, purpose: string, preset: readonly string[]): Setting<readonly string[]> {
  const isAddress = (value: unknown): value is string =>
    isPrintable(value, addressLengthMax) && /^\/[^/]/.test(value);
  return {
    default: preset,
    env,
    purpose,
    allowed: `at most ${addressesMax} multiaddrs such as /ip4/192.0.2.1/tcp/4001`,
    fromText: asList,
    check: value =>
      Array.isArray(value) && value.length <= addressesMax && value.every(isAddress) ? value : undefined,
  };
}

/** Whether a meter takes the window: the meter alone knows its limits; in blocks it needs no memory to tell. */
function isWindow(value: unknown): value is number {
  if (typeof value !== 'number') return false;
  try {
    createMeter({ window: value, mode: 'block' });
    return true;
  } catch (error) {
    if (error instanceof SkerryError && error.code === 'WINDOW_INVALID') return false;
    throw error;
  }
}

function isStatement(value: unknown): value is TrustStatement {
  return typeof value === 'number' ? value >= 0 && value <= 1 : statementWords.some(word => word === value);
}

function isTrustTable(value: unknown): value is TrustStatements {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, trust]) =>
      name !== '' &&
      isPrintable(name, Math.max(nodeIdLengthMax, 'operator:'.length + operatorLengthMax)) &&
      isStatement(trust),
  );
}

/** A whole number from 0 to `max`. */
function count(env: string, purpose: string, max: number, preset: number): Setting<number> {
  return {
    default: preset,
    env,
    purpose,
    allowed: `a whole number from 0 to ${max}`,
    fromText: asNumber,
    check: value =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : undefined,
  };
}

const meterDefaults = createMeter({ mode: 'block' }).report();

/** All settings, by their key in the configuration file. */
export const settings = {
  profile: choice<Profile>('SKERRY_PROFILE', 'the targets that plans must meet', profiles, 'open'),
  location: text('SKERRY_LOCATION', 'where this node says it is', placeTextMax),
  operator: text('SKERRY_OPERATOR', 'who runs this node', operatorLengthMax),
  listen: addresses('SKERRY_LISTEN', 'where this node listens', listenDefault),
  bootstrap: addresses('SKERRY_BOOTSTRAP', 'nodes to start from', []),
  'passphrase-file': path('SKERRY_PASSPHRASE_FILE', 'file with the passphrase of the keys'),
  'swarm-key': path('SKERRY_SWARM_KEY', 'file with the key of a private network'),
  'risk-minimum': choice<Risk>('SKERRY_RISK_MINIMUM', 'the level that no key goes under', riskLevels, 'low'),
  'risk-default': choice<Risk>(
    'SKERRY_RISK_DEFAULT',
    'the level of data too short to be measured',
    riskLevels,
    meterDefaults.risk,
  ),
  window: {
    default: meterDefaults.window,
    env: 'SKERRY_WINDOW',
    purpose: 'bytes in a window of the entropy meter',
    allowed: 'a whole number from 64 to 2^24',
    fromText: asNumber,
    check: value => (isWindow(value) ? value : undefined),
  } satisfies Setting<number>,
  capacity: count(
    'SKERRY_CAPACITY',
    'shares that this node is willing to hold',
    capacityMax,
    capacityDefault,
  ),
  'audit-minutes': {
    default: auditMinutesDefault,
    env: 'SKERRY_AUDIT_MINUTES',
    purpose: 'minutes between audits of a node; 0 for none, and for no healing',
    allowed: `a number from 0 to ${auditMinutesMax}`,
    fromText: asNumber,
    check: value => (typeof value === 'number' && value >= 0 && value <= auditMinutesMax ? value : undefined),
  } satisfies Setting<number>,
  'refresh-days': count(
    'SKERRY_REFRESH_DAYS',
    'days after which a key is dealt anew; 0 for never',
    refreshDaysMax,
    refreshDaysDefault,
  ),
  'verify-place': choice<'auto' | 'yes' | 'no'>(
    'SKERRY_VERIFY_PLACE',
    'hold places against round trips; auto: unless the profile is local',
    ['auto', 'yes', 'no'],
    'auto',
  ),
  trust: {
    default: {},
    env: undefined,
    purpose: 'trust in nodes and operators, by node id or "operator:NAME"',
    allowed: `a number from 0 to 1, or ${statementWords.join(', ')}, for each node id or operator:NAME`,
    fromText: asNumber,
    check: value => (isTrustTable(value) ? value : undefined),
  } satisfies Setting<TrustStatements>,
};

/** The key of a setting. */
export type SettingKey = keyof typeof settings;

/** The type of a setting's value. */
export type SettingValue<K extends SettingKey> = (typeof settings)[K] extends Setting<infer T> ? T : never;

/** The keys of all settings, in the order in which they are shown. */
export const settingKeys = Object.keys(settings) as SettingKey[];

/**
 * Whether a text is the key of a setting.
 *
 * @param key from a file or a command line
 */
export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(settings, key);
}

/**
 * The coded error for a value that a setting does not allow.
 *
 * @param key the setting's key, or one within it (`trust.NAME`)
 * @param source where the value comes from
 */
export function settingError(key: string, source: string, allowed: string): SkerryError {
  return new SkerryError('CONFIG_INVALID', `${key} (from ${source}) must be ${allowed}`, {
    key,
    source,
    allowed,
  });
}

/**
 * The coded error for a key that no setting has.
 *
 * @param key as it was written
 * @param source where it was written
 */
export function unknownKeyError(key: string, source: string): SkerryError {
  return new SkerryError(
    'CONFIG_INVALID',
    `there is no setting ${key} (from ${source}); there are ${settingKeys.join(', ')}`,
    { key, source, allowed: settingKeys.join(', ') },
  );
}
