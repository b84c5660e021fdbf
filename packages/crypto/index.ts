export { hpkeOpen, hpkeOverheadBytes, hpkeSeal } from './src/hpke.ts';
export { nodeClock, nodeCrypto, nodeRandom } from './src/primitives.ts';
