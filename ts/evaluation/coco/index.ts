export type { Curves } from "./accumulate.js";
export type {
  CocoAnnotation,
  CocoAnnotationColumns,
  CocoCategory,
  CocoDetection,
  CocoDetectionColumns,
  CocoDetections,
  CocoGroundTruth,
  CocoGroundTruthColumns,
  CocoImage,
  CocoMaskDetection,
  CocoMaskResult,
  CocoResult,
  CocoResultColumns,
  CocoResults,
  IouType,
  NumberColumn,
} from "./coco-format.js";
export { evaluateCoco } from "./evaluate-coco.js";
export type { CocoEvaluation } from "./evaluation.js";
export { type CocoEvaluator, createEvaluator } from "./evaluator.js";
export type { AreaRange, Axes, EvaluateCocoOptions } from "./options.js";
export type { ClassSummary, CocoSummary } from "./summarize.js";
