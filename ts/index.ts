/** What `import "cassl"` gives. For users: the client of a controller and the configuration. */
export { type CasslClient, connect } from "./client/client.js";
/** For libraries: pure functions on datasets, labels and detections. */
export type { ArtifactStore } from "./core/artifacts.js";
export type { BoxXywh, BoxXyxy } from "./core/boxes.js";
export type { Annotation, Category, Dataset, DatasetImage } from "./core/dataset.js";
export { CasslError, type Reason } from "./core/errors.js";
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
  type CocoResult,
  type CocoResultColumns,
  type CocoSummary,
  createEvaluator,
  type EvaluateCocoOptions,
  evaluateCoco,
  type NumberColumn,
} from "./evaluation/coco/index.js";
export type { Worker } from "./gen/cassl/v1/controller_service.js";
export { type Run, type RunConfig, type RunEvent, State } from "./gen/cassl/v1/run.js";
export { toClassAgnostic } from "./labels/class-agnostic.js";
export {
  type ImageSelection,
  type PseudoLabel,
  type SelectionStats,
  selectFromImage,
  selectPseudoLabels,
} from "./labels/select.js";
export { type Arm, type Config, parseConfig, parseConfigText, toRunConfig } from "./pipeline/config.js";
export type { GateResult } from "./pipeline/gates.js";
export type { ArmResult, RunResult } from "./pipeline/pipeline.js";
export type { StepSummary } from "./pipeline/step.js";
