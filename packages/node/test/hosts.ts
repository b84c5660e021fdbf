import { randomBytes } from 'node:crypto';
import type { ErrorMetadata, Log } from '@skerry/base';
import { createHost, type Host, type HostOptions } from '../src/host.ts';

/** A log that keeps its lines, and the metadata of those that have any. */
export function recordingLog(): Log & { readonly lines: string[]; readonly metadata: ErrorMetadata[] } {
  const lines: string[] = [];
  const metadata: ErrorMetadata[] = [];
  const keep =
    (level: string) =>
    (message: string, facts?: ErrorMetadata): void => {
      lines.push(`${level}: ${message}`);
      if (facts !== undefined) metadata.push(facts);
    };
  return {
    lines,
    metadata,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
}

/** A host on a free port of this machine, with what a test does not care about filled in. */
export async function startHost(options: Partial<HostOptions> = {}): Promise<Host> {
  return createHost({
    nodeSeed: randomBytes(32),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    scale: 'loopback',
    transport: 'tcp',
    recordKinds: {},
    log: recordingLog(),
    ...options,
  });
}

/** Hosts that all know the first one, and wait until they are connected to it. */
export async function startHosts(count: number, options: Partial<HostOptions> = {}): Promise<Host[]> {
  const first = await startHost(options);
  const others = await Promise.all(
    Array.from({ length: count - 1 }, async () => startHost({ ...options, bootstrap: first.addresses() })),
  );
  await until(() => first.connectedNodes().length === count - 1);
  return [first, ...others];
}

/** Waits until something holds; a test that waits too long fails by its own time limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 10));
}
