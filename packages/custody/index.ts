export { grantLifeMaxMs, pendingLifeMs } from './parameters.ts';
export type { AuthoritySigner, ShareDeposit } from './src/deal.ts';
export {
  type DealerEffect,
  type DealerEnv,
  type DealerEvent,
  type DealerState,
  type DealerStep,
  type DealOrder,
  startDeal,
  stepDealer,
} from './src/dealer.ts';
export {
  decodeHeldKey,
  encodeHeldKey,
  type HeldEpoch,
  type HeldKey,
  lapseMs,
  wipeHeldKey,
} from './src/held-key.ts';
export { openHeldShare } from './src/held-share.ts';
export {
  type HolderEffect,
  type HolderEnv,
  type HolderEvent,
  type HolderStep,
  stepHolder,
} from './src/holder.ts';
export { roundContextOf } from './src/holder-round.ts';
export { createLimiter, type Limiter } from './src/limiter.ts';
export {
  type AskedHolder,
  type OpenOrder,
  type RequesterEffect,
  type RequesterEnv,
  type RequesterEvent,
  type RequesterState,
  type RequesterStep,
  startOpen,
  stepRequester,
} from './src/requester.ts';
