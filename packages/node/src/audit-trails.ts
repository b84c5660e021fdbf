import type { HolderEffect } from '@skerry/custody';
import type { Store, StoreChange } from './store.ts';

/** What the holder's machine asks to be noted. */
export type AuditEffect = Extract<HolderEffect, { type: 'audit' }>;

/**
 * The audit lines of every key held here, on disk as JSON. They hold no secret. A key has three trails, each in the
 * order it was written: `audit/KEYID/NUMBER` for what was done, `refused/KEYID/NUMBER` for rounds that were refused, and
 * `drilled/KEYID/NUMBER` for drills and inspections, which come by themselves and would crowd out the opens. Over the bound
 * the oldest line of the longest trail goes: who fills the log with rounds on a key of its own, or with requests that are
 * refused, loses those lines, and a trail of its fair share or less loses none.
 */
type AuditTrails = {
  /**
   * The changes that add lines to a key's trail. The caller writes them, in one batch with what they are about.
   *
   * @param keyId in hexadecimal
   * @param atMs the holder's clock
   */
  readonly append: (keyId: string, effects: readonly AuditEffect[], atMs: number) => StoreChange[];
  /** The changes that drop the trail of a key that is gone. */
  readonly drop: (keyId: string) => StoreChange[];
};

/** Numbers of the oldest line kept and of the next one. */
type Trail = { first: number; next: number };

const kinds = ['audit', 'refused', 'drilled'] as const;

/** The trail of an event. */
function kindOf(event: string): (typeof kinds)[number] {
  if (event === 'round-refused') return 'refused';
  return event === 'drill' || event === 'inspection' ? 'drilled' : 'audit';
}

/** Of a trail's name, such as `audit/KEYID`, and a number that sorts as text. */
function lineKey(name: string, number: number): string {
  return `${name}/${String(number).padStart(16, '0')}`;
}

function lengthOf({ first, next }: Trail): number {
  return next - first;
}

/**
 * The trails in a store.
 *
 * @param linesMax lines kept, of all keys
 * @throws STORE_CORRUPT, STORE_FAILED
 */
export async function openAuditTrails(store: Pick<Store, 'keys'>, linesMax: number): Promise<AuditTrails> {
  const trails = new Map<string, Trail>();
  let lineCount = 0;
  for (const kind of kinds) {
    for await (const key of store.keys(`${kind}/`)) {
      const name = key.slice(0, key.lastIndexOf('/'));
      const number = Number(key.slice(name.length + 1));
      trails.set(name, { first: trails.get(name)?.first ?? number, next: number + 1 });
      lineCount += 1;
    }
  }

  function dropOldest(name: string, trail: Trail): StoreChange {
    lineCount -= 1;
    const key = lineKey(name, trail.first++);
    if (lengthOf(trail) === 0) trails.delete(name);
    return { type: 'del', key };
  }

  /** Looks through all trails, 0.1 ms for 10,000 keys, and only once the bound is reached. */
  function makeRoom(): StoreChange[] {
    const changes: StoreChange[] = [];
    while (lineCount > linesMax) {
      let longest: [string, Trail] | undefined;
      for (const [name, trail] of trails) {
        if (longest === undefined || lengthOf(trail) > lengthOf(longest[1])) longest = [name, trail];
      }
      if (longest === undefined) break;
      changes.push(dropOldest(...longest));
    }
    return changes;
  }

  return {
    append: (keyId, effects, atMs) => {
      const added = effects.map(({ event, fields }): StoreChange => {
        const name = `${kindOf(event)}/${keyId}`;
        const trail = trails.get(name) ?? { first: 0, next: 0 };
        trails.set(name, trail);
        lineCount += 1;
        const line = JSON.stringify({ atMs, event, keyId, ...fields });
        return { type: 'put', key: lineKey(name, trail.next++), value: new TextEncoder().encode(line) };
      });
      return [...added, ...makeRoom()];
    },
    drop: keyId =>
      kinds.flatMap(kind => {
        const name = `${kind}/${keyId}`;
        const trail = trails.get(name);
        return Array.from({ length: trail ? lengthOf(trail) : 0 }, () => dropOldest(name, trail as Trail));
      }),
  };
}
