export type {
  CocoAnnotation,
  CocoCategory,
  CocoGroundTruth,
  CocoImage,
  CocoMaskResult,
  CocoResult,
  CocoResults,
} from "./coco-format.js";
export { readCocoGroundTruth, readCocoResults } from "./coco-format.js";
export { type CocoEvaluation, evaluateCoco } from "./evaluate-coco.js";
export type { AreaRange, Axes, EvaluateCocoOptions } from "./options.js";
export type { ClassSummary, CocoSummary } from "./summarize.js";
