export { type BestThreshold, type BestThresholds, bestThresholds } from "./best-threshold.js";
export {
  type BootstrapOptions,
  compareModels,
  type ModelComparison,
  type PairedDifference,
  pairedDifference,
  type ResampledAp,
  resampleAp,
} from "./bootstrap.js";
export { type Calibration, calibrate, type ReliabilityBin } from "./calibration.js";
export { type ClassAwareness, compareClassAwareness, withOracleClasses } from "./class-awareness.js";
export {
  type ConfusedPair,
  type ConfusionMatrix,
  type ConfusionOptions,
  type Confusions,
  confusedPairs,
  confusionMatrix,
  confusions,
} from "./confusion.js";
export { type DiagnoseOptions, type Diagnosis, diagnose } from "./diagnose.js";
export { classifyErrors, type DetectionErrors, type ErrorKind, type ErrorOptions, errorKinds } from "./errors.js";
export { type ClassCurve, type Curve, precisionRecallCurves } from "./precision-recall.js";
export { type ErrorCost, type ErrorSplit, splitErrors } from "./tide.js";
export { type VocAp, type VocMethod, type VocOptions, vocAveragePrecision } from "./voc.js";
export { type ImageErrors, worstImages } from "./worst-images.js";
