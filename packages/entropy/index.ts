export { riskThresholdsDefault } from './parameters.ts';
export { type ByteSource, measure, meterStream } from './src/measure.ts';
export {
  createMeter,
  type EntropyReport,
  type Meter,
  type MeterMode,
  type MeterOptions,
  type ShannonReport,
} from './src/meter.ts';
export { mostCommonValueEstimate } from './src/min-entropy.ts';
export { expectedUniformEntropy } from './src/plug-in.ts';
export { createRiskScale, type RiskScale, type RiskThresholds } from './src/risk-scale.ts';
