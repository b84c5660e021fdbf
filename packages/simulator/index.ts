export { runChurn } from './src/churn-scenario.ts';
export { calm } from './src/fates.ts';
export type { Figure, Figures, Row, Scenario, ScenarioOptions, ScenarioReport } from './src/scenario.ts';
export { scenarios } from './src/scenarios.ts';
