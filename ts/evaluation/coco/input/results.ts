/** Detections, however they are given, to checked columns. */
import type { CocoDetection, CocoDetectionColumns, CocoResult, CocoResultColumns } from "../coco-format.js";
import { type Columns, checkColumns, detectionFields, resultFields, type Source } from "./fields.js";
import { readResultsFile } from "./files.js";
import { columnsInMemory } from "./memory.js";

export type ResultsInput = string | readonly CocoResult[] | CocoResultColumns;
/** Of one image. */
export type DetectionsInput = readonly CocoDetection[] | CocoDetectionColumns;

export type Results = Columns<typeof resultFields>;
export type Detections = Columns<typeof detectionFields>;

/** FILE_NOT_FOUND, or ANNOTATIONS_INVALID that names file, record, field and value. */
export function loadResults(input: ResultsInput, source: Source): Results {
  const results = typeof input === "string" ? readResultsFile(input) : columnsInMemory(input, resultFields, source);
  checkColumns(resultFields, results, source);
  return results;
}

/** ANNOTATIONS_INVALID names record, field and value. */
export function loadDetections(input: DetectionsInput, source: Source): Detections {
  const detections = columnsInMemory(input, detectionFields, source);
  checkColumns(detectionFields, detections, source);
  return detections;
}
