/** Ground truth, however it is given, to checked columns. */
import type { CocoCategory, CocoGroundTruth, CocoGroundTruthColumns, IouType } from "../coco-format.js";
import {
  annotationFields,
  type Columns,
  checkColumns,
  type ImageColumns,
  idFields,
  imageFields,
  requireBoxes,
  type Source,
} from "./fields.js";
import { type GroundTruthFile, readGroundTruthFile } from "./files.js";
import { columnsInMemory } from "./memory.js";
import { type Segmentations, segmentationsIn } from "./segmentations.js";

export type GroundTruthInput = string | CocoGroundTruth | CocoGroundTruthColumns;

export interface GroundTruth {
  readonly images: ImageColumns;
  readonly categories: readonly CocoCategory[];
  /** Boxes may be absent where masks are compared. */
  readonly annotations: Columns<typeof annotationFields>;
  /** Of the annotations; only where masks are compared. */
  readonly segmentations: Segmentations;
  /** Of the annotations, for messages. */
  readonly source: Source;
}

/** FILE_NOT_FOUND, or ANNOTATIONS_INVALID that names file, record, field and value. */
export function loadGroundTruth(input: GroundTruthInput, iouType: IouType): GroundTruth {
  const file = typeof input === "string" ? input : undefined;
  const source = { record: "annotation", file };
  const { images, annotations, categories, segmentations } = columnsOf(input, iouType === "segm", source);
  checkColumns(imageFields(iouType === "segm"), images, { record: "image", file });
  checkColumns(annotationFields, annotations, source);
  if (iouType === "bbox") requireBoxes(annotations.boxXywh, source);
  return {
    images,
    annotations,
    categories: categoriesOf(categories, { record: "category", file }),
    segmentations,
    source,
  };
}

function columnsOf(input: GroundTruthInput, withMasks: boolean, source: Source): GroundTruthFile {
  if (typeof input === "string") return readGroundTruthFile(input, withMasks);
  const image = { record: "image" };
  return {
    images:
      "imageIds" in input
        ? columnsInMemory({ id: input.imageIds }, idFields, image)
        : columnsInMemory(input.images, imageFields(withMasks), image),
    annotations: columnsInMemory(input.annotations, annotationFields, source),
    categories: input.categories,
    segmentations: segmentationsIn(input.annotations),
  };
}

/** A category may lack a name, which only is shown. */
function categoriesOf(records: readonly unknown[], source: Source): CocoCategory[] {
  const columns = columnsInMemory(records, idFields, source);
  checkColumns(idFields, columns, source);
  return records.map((record, row) => ({
    id: columns.id[row] as number,
    name: String((record as Partial<CocoCategory>).name ?? ""),
  }));
}
