export type { Scale } from './parameters.ts';
export type { Deal } from './src/dealing.ts';
export type { FrameObserver } from './src/frame-stream.ts';
export { loadGazetteer } from './src/gazetteer.ts';
export { createIdentity, type Identity, loadIdentity } from './src/identity.ts';
export { type OwnedKey, parseKeyId } from './src/keyring.ts';
export type { TrustStatements } from './src/neighbours.ts';
export { type Network, recordKinds } from './src/network.ts';
export { type OpenedKey, openKey } from './src/opening.ts';
export {
  createPeer,
  type GrantTerms,
  type KeySlot,
  type Peer,
  type PeerOptions,
  type Protection,
} from './src/peer.ts';
export { openStore, type Store } from './src/store.ts';
