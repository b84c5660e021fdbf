import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh temporary folder, removed with `using`. */
export function createFolder(): { readonly path: (name: string) => string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'skerry-cli-'));
  return {
    path: name => join(root, name),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}
