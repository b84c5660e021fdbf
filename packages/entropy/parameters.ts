import type { Risk } from '@skerry/base';

/**
 * Window of a meter in bytes when none is given, 64 to 2^24: 4 KiB is a page, long enough that random bytes read
 * 7.95 of 8 bits, short enough that an encrypted section of a file shows.
 */
export const windowBytesDefault = 4096;

/** Smallest window in bytes: under 64 the plug-in estimate of random bytes loses more than 2 of its 8 bits. */
export const windowBytesMin = 64;

/** Largest window in bytes: a rolling meter keeps ten times its window in memory, here 160 MiB. */
export const windowBytesMax = 2 ** 24;

/** Shortest stream in bytes that is estimated at all: one byte for each value that a byte can take. */
export const estimateBytesMin = 256;

/** Most points in a report's series, an even count: what a plot can show. */
export const seriesPointsMax = 1024;

/** Normal quantile of the one-sided 99.5 % bound of NIST SP 800-90B section 6.3.1. No unit; the standard fixes it. */
export const confidenceQuantile = 2.576;

/** Risk of a stream too short to be estimated: nothing speaks for the cheapest protection, nor for the dearest. */
export const riskDefault: Risk = 'medium';

/**
 * Default thresholds on normalised entropy, 0..1. Measured with 4 KiB windows: English text and Markdown read .59 to
 * .61, source code .57 to .64, hexadecimal .50, executables .67 to .75, machine code alone .76 to .79, base64 .76,
 * images, fonts, compressed and encrypted data .98 and up. With 64-byte windows text reads .72 and base64 .90.
 */
export const riskThresholdsDefault = { medium: 0.65, high: 0.9, hysteresis: 0.03 } as const;
