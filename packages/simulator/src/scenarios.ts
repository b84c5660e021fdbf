import { churnScenario } from './churn-scenario.ts';
import { durabilityScenario } from './durability-scenario.ts';
import type { Scenario } from './scenario.ts';
import { trustScenario } from './trust-scenario.ts';

/** The scenarios by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  trust: trustScenario,
  churn: churnScenario,
  durability: durabilityScenario,
};
