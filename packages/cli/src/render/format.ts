const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/**
 * A size for people, in binary units: "0 B", "1.5 KiB", "12 MiB".
 *
 * @param bytes 0 or more
 */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // From 1023.5 on, three digits would round to the next unit's 1024.
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${units[unit]}`;
}

/**
 * A probability for people: "0", "0.97", "0.99997", "3.1e-5"; never rounded to 1 when it is not, down to 1e-12.
 *
 * @param probability 0..1
 */
export function formatProbability(probability: number): string {
  if (probability === 0 || probability === 1) return String(probability);
  if (probability < 1e-3) return probability.toExponential(1).replace('.0e', 'e');
  if (probability > 0.99) {
    // As many digits as show the first that is not a nine.
    return probability.toFixed(Math.min(12, Math.ceil(-Math.log10(1 - probability))));
  }
  return String(Number(probability.toPrecision(2)));
}

/**
 * A duration for people, with the two units that matter: "350 ms", "1.5 s", "3 min 20 s", "2 h 5 min", "4 d 1 h".
 *
 * @param ms milliseconds, 0 or more
 */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  const pair = (value: number, unit: string, rest: number, restUnit: string): string =>
    rest === 0 ? `${value} ${unit}` : `${value} ${unit} ${rest} ${restUnit}`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return pair(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min');
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * A whole number with its thousands apart: "16,607".
 *
 * @param count any finite number; it is rounded
 */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
