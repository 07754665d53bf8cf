/** Detections, however they are given, to checked columns. */
import type { CocoDetectionColumns, CocoDetections, CocoResultColumns, CocoResults, IouType } from "../coco-format.js";
import { type Columns, checkColumns, detectionFields, requireBoxes, resultFields, type Source } from "./fields.js";
import { readResultsFile } from "./files.js";
import { columnsInMemory } from "./memory.js";
import { type Segmentations, segmentationsIn } from "./segmentations.js";

export type ResultsInput = string | CocoResults | CocoResultColumns;
/** Of one image. */
export type DetectionsInput = CocoDetections | CocoDetectionColumns;

/** Any of them may lack box and mask. */
export interface Results extends Columns<typeof resultFields> {
  readonly segmentations: Segmentations;
}

export interface Detections {
  readonly columns: Columns<typeof detectionFields>;
  /** What each record has as its `segmentation`. */
  readonly segmentations: readonly unknown[];
}

/** FILE_NOT_FOUND, or ANNOTATIONS_INVALID that names file, record, field and value. */
export function loadResults(input: ResultsInput, iouType: IouType, source: Source): Results {
  const { columns, segmentations } =
    typeof input === "string"
      ? readResultsFile(input, iouType === "segm")
      : { columns: columnsInMemory(input, resultFields, source), segmentations: segmentationsIn(input) };
  checkColumns(resultFields, columns, source);
  return { ...columns, segmentations };
}

/** ANNOTATIONS_INVALID names record, field and value, also of a record with neither box nor mask. */
export function loadDetections(input: DetectionsInput, source: Source): Detections {
  const columns = columnsInMemory(input, detectionFields, source);
  checkColumns(detectionFields, columns, source);
  const isList = (value: unknown): value is CocoDetections => Array.isArray(value);
  const segmentations = isList(input)
    ? input.map(({ segmentation }) => segmentation)
    : Array(columns.score.length).fill(undefined);
  requireBoxes(columns.boxXywh, source, (row) => segmentations[row] !== undefined);
  return { columns, segmentations };
}
