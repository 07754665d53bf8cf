/**
 * What `import "cassl"` gives: the client of a controller, the configuration, and pure functions on datasets, labels and
 * detections.
 * @module cassl
 */

export { type CallSettings, CasslClient, type CasslClientOptions, type RunFilter } from "./client/client.js";
export type { ConnectionOptions } from "./client/connection.js";
/** For libraries: pure functions on datasets, labels and detections. */
export type { ArtifactStore } from "./core/artifacts.js";
export type { BoxXywh, BoxXyxy } from "./core/boxes.js";
export type { Annotation, Category, Dataset, DatasetImage } from "./core/dataset.js";
export { CasslError, type Reason } from "./core/errors.js";
export { nms, suppressOverlaps } from "./core/nms.js";
export { boxPairIou, type FloatColumn, type PairIou } from "./core/pair-iou.js";
export type { BadBoxes } from "./data/box-policy.js";
export { readAnnotations } from "./data/formats/read-annotations.js";
export type { AnnotatedSet, AnnotationSource, Format, ListedImage } from "./data/formats/source-set.js";
export {
  type CocoAnnotation,
  type CocoAnnotationColumns,
  type CocoCategory,
  type CocoDetection,
  type CocoDetectionColumns,
  type CocoEvaluation,
  type CocoEvaluator,
  type CocoGroundTruth,
  type CocoGroundTruthColumns,
  type CocoImage,
  type CocoMaskDetection,
  type CocoMaskResult,
  type CocoMatches,
  type CocoResult,
  type CocoResultColumns,
  type CocoResults,
  type CocoSummary,
  createEvaluator,
  type EvaluateCocoOptions,
  evaluateCoco,
  FALSE_POSITIVE,
  type FederatedGroundTruth,
  IGNORED,
  type LvisSummary,
  type MatchedEvaluation,
  type NumberColumn,
  TRUE_POSITIVE,
} from "./evaluation/coco/index.js";
export {
  type BestThreshold,
  type BestThresholds,
  type BootstrapOptions,
  bestThresholds,
  type Calibration,
  type ClassAwareness,
  type ClassCurve,
  type ConfusedPair,
  type ConfusionMatrix,
  calibrate,
  classifyErrors,
  compareClassAwareness,
  compareModels,
  confusedPairs,
  confusionMatrix,
  type DetectionErrors,
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  type ErrorKind,
  type ErrorOptions,
  type ErrorSplit,
  errorKinds,
  type ImageErrors,
  type ModelComparison,
  precisionRecallCurves,
  splitErrors,
  type VocAp,
  type VocOptions,
  vocAveragePrecision,
  withOracleClasses,
  worstImages,
} from "./evaluation/diagnosis/index.js";
export type {
  EvaluateDetectionsResponse,
  ImageDetections,
  PlannedStep,
  PseudoLabeledImage,
  RegisteredDataset,
  RunPlan,
  Worker,
} from "./gen/cassl/v1/controller_service.js";
export { type Run, type RunConfig, type RunEvent, State } from "./gen/cassl/v1/run.js";
export type { BoxColumns } from "./labels/box-columns.js";
export {
  keepInside,
  keepMasksOutsideCrowds,
  keepOutsideCrowds,
  keepSizes,
  type SizeLimits,
} from "./labels/box-filters.js";
export {
  calibrateScores,
  fitIsotonic,
  fitTemperature,
  type IsotonicCalibration,
  type ScoreCalibration,
  type TemperatureCalibration,
} from "./labels/calibration.js";
export { type ClassMap, classMapOf, restoreClasses, toClassAgnostic } from "./labels/class-agnostic.js";
export { maskPairIou } from "./labels/mask-pair-iou.js";
export { type PseudoLabels, readPseudoLabels, selectPseudoLabels } from "./labels/pseudo-labels.js";
export { type ImageSelection, type PseudoLabel, selectFromImage } from "./labels/select.js";
export type { SelectionPolicy } from "./labels/select-rows.js";
export type { SelectionStats } from "./labels/selection-stats.js";
export { type Decay, type DecayedBoxes, type MatrixKernel, matrixNms, softNms } from "./labels/soft-nms.js";
export { type FusionOptions, fuseBoxes } from "./labels/weighted-box-fusion.js";
export { type Arm, type Config, parseConfig, parseConfigText, toRunConfig } from "./pipeline/config.js";
export type { GateResult } from "./pipeline/gates.js";
export type { ArmResult, RunResult } from "./pipeline/pipeline.js";
export type { StepSummary } from "./pipeline/step.js";
