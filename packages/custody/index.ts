export { auditPace, grantLifeMaxMs, pendingLifeMs } from './parameters.ts';
export {
  type Audit,
  type AuditableKey,
  type AuditHistory,
  type AuditPace,
  emptyAuditHistory,
  planAudits,
} from './src/audit-plan.ts';
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
export { judgeProbe } from './src/probe.ts';
export {
  type RequesterEffect,
  type RequesterEvent,
  type RequesterState,
  type RequesterStep,
  startRound,
  stepRequester,
} from './src/requester.ts';
export type { RoundObservation } from './src/round-evidence.ts';
export type { AskedHolder, RequesterEnv, RoundOrder } from './src/round-order.ts';
