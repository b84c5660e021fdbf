export { type HpkeRecipient, hpkeOverheadBytes, hpkeRecipient, hpkeSeal } from './src/hpke.ts';
export { nodeClock, nodeCrypto, nodeRandom } from './src/primitives.ts';
