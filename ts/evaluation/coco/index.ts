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
  FederatedCategory,
  FederatedGroundTruth,
  FederatedImage,
  IouType,
  NumberColumn,
} from "./coco-format.js";
export { evaluateCoco } from "./evaluate-coco.js";
export type { CocoEvaluation, MatchedEvaluation } from "./evaluation.js";
export { type CocoEvaluator, createEvaluator } from "./evaluator.js";
export { readCocoGroundTruth, readCocoResults } from "./input/parsed-files.js";
export type { MatchedAnnotations, MatchedDetections, MatchedGroundTruth } from "./match-tables.js";
export { FALSE_POSITIVE, IGNORED, TRUE_POSITIVE } from "./match-tables.js";
export type { CocoMatches } from "./matches.js";
export type { AreaRange, Axes, EvaluateCocoOptions } from "./options.js";
export type { Overlaps } from "./overlaps.js";
export type { ClassSummary, CocoSummary } from "./summarize.js";
export type { LvisSummary } from "./summarize-lvis.js";
