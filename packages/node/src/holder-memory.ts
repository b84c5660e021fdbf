import { toHex, wipe } from '@skerry/base';
import { nodeCrypto } from '@skerry/crypto';
import type { HeldEpoch } from '@skerry/custody';
import type { PairSecrets } from '@skerry/sharing';
import type { GrantClaims } from '@skerry/wire';
import { parameters } from '../parameters.ts';
import { verifyGrant } from './grants.ts';
import { createRecent } from './recent.ts';

/**
 * What a holder need not work out for every round: a key's agreements between mask keys, which last as long as its
 * sharing, and what a grant says once its signatures were verified. Whether a grant is good at this time, for this
 * request, is looked at each time.
 */
export type HolderMemory = {
  /** The agreements of one key, for the core of a hash. */
  readonly pairSecretsOf: (keyId: string) => (coreHash: Uint8Array) => PairSecrets;
  /** As `verifyGrant`. @throws GRANT_INVALID, which is not remembered */
  readonly claimsOf: (grant: Uint8Array, held: HeldEpoch) => Promise<GrantClaims>;
  /** Wipes the agreements of a key; to be called when its share may have changed. */
  readonly forget: (keyId: string) => void;
};

/** A key's agreements, and the core that they belong to. */
type Agreements = { readonly coreHash: string; readonly secrets: PairSecrets };

/** Remembers nothing yet. */
export function createHolderMemory(): HolderMemory {
  const agreements = createRecent<Agreements>(parameters.agreementsKeptMax, ({ secrets }) =>
    wipe(...secrets.values()),
  );
  const grants = createRecent<Promise<GrantClaims>>(parameters.grantsKeptMax);
  return {
    pairSecretsOf: keyId => hash => {
      const coreHash = toHex(hash);
      const make = (): Agreements => ({ coreHash, secrets: new Map() });
      const known = agreements.get(keyId, make);
      if (known.coreHash === coreHash) return known.secrets;
      agreements.forget(keyId);
      return agreements.get(keyId, make).secrets;
    },
    claimsOf: async (grant, { core, coreHash }) => {
      const name = `${toHex(coreHash)}/${toHex(nodeCrypto.sha256(grant))}`;
      try {
        return await grants.get(name, async () => verifyGrant(grant, core.authority));
      } catch (error) {
        grants.forget(name);
        throw error;
      }
    },
    forget: agreements.forget,
  };
}
