export { auditPace, grantLifeMaxMs, pendingLifeMs } from './parameters.ts';
export {
  type Audit,
  type AuditableKey,
  type AuditHistory,
  type AuditPace,
  emptyAuditHistory,
  planAudits,
} from './src/audit-plan.ts';
export { behindCodes } from './src/behind.ts';
export type { AuthoritySigner, ShareDeposit } from './src/deal.ts';
export { startDeal, stepDealer } from './src/dealer.ts';
export type {
  DealerEffect,
  DealerEnv,
  DealerEvent,
  DealerState,
  DealerStep,
  DealOrder,
} from './src/dealer-state.ts';
export { type HealerEffect, type HealerEvent, startHealing, stepHealing } from './src/healer.ts';
export {
  type HeldCase,
  isExposed,
  isTheftOver,
  type Margin,
  type MarginLevel,
  marginOf,
  type OwnedCase,
  proposalOf,
  type RefreshReason,
  type Remedy,
  remediesFor,
  theftOf,
} from './src/healing.ts';
export {
  type Doubt,
  doubtsOf,
  emptyHealth,
  type Failure,
  failureOf,
  type Health,
  noteSight,
  type Sight,
} from './src/health.ts';
export {
  decodeHeldKey,
  encodeHeldKey,
  type HeldEpoch,
  type HeldKey,
  isSeated,
  lapseMs,
  manifestOf,
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
export { type HolderRequest, holderEventOf } from './src/holder-event.ts';
export { roundContextOf } from './src/holder-round.ts';
export {
  type InspectionEffect,
  type InspectionEvent,
  startInspection,
  startJudgement,
  stepInspection,
  type WrongSet,
  wipeWrongSet,
} from './src/inspection.ts';
export { createLimiter, type Limiter } from './src/limiter.ts';
export {
  type MoveOrder,
  type MoverEffect,
  type MoverEnv,
  type MoverEvent,
  type MoverState,
  type MoverStep,
  startMove,
  stepMove,
} from './src/mover.ts';
export { judgeProbe } from './src/probe.ts';
export { startRound, stepRequester } from './src/requester.ts';
export type {
  RequesterEffect,
  RequesterEvent,
  RequesterState,
  RequesterStep,
  RoundEnd,
} from './src/requester-state.ts';
export type { RoundObservation } from './src/round-evidence.ts';
export type { AskedHolder, RequesterEnv, RoundOrder } from './src/round-order.ts';
