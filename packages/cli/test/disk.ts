import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A small disk of its own, mounted at a folder until `using` ends it. */
export type Disk = Disposable & {
  /** Takes all room that is left. */
  readonly fill: () => void;
  /** Gives it back. */
  readonly free: () => void;
  readonly makeReadOnly: () => void;
};

/** Mounts an empty disk at a folder, which is made; throws where this user may not mount. */
export function mountDisk(path: string, megabytes: number): Disk {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const options = `size=${megabytes}m,mode=0700`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'skerry-test', path], { stdio: 'ignore' });
  const filler = join(path, 'filler');
  return {
    fill: () => {
      try {
        writeFileSync(filler, new Uint8Array((megabytes + 1) << 20));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
        throw error;
      }
      throw new Error('the disk took more than it has');
    },
    free: () => rmSync(filler, { force: true }),
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', path]),
  };
}

/** Whether this user may mount disks: root on Linux, as a rule. */
export function canMount(path: string): boolean {
  try {
    mountDisk(path, 1)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}
