/** Ground truth, however it is given, to checked columns. */
import type { CocoGroundTruth, CocoGroundTruthColumns, FederatedCategory } from "../coco-format.js";
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
import { type GroundTruthFile, type GroundTruthWanted, readGroundTruthFile } from "./files.js";
import { type ImageChecks, imageChecks } from "./image-checks.js";
import { columnsInMemory } from "./memory.js";
import { type Segmentations, segmentationsIn } from "./segmentations.js";

export type GroundTruthInput = string | CocoGroundTruth | CocoGroundTruthColumns;

export interface GroundTruth {
  readonly images: ImageColumns;
  readonly categories: readonly FederatedCategory[];
  /** Boxes may be absent where masks are compared. */
  readonly annotations: Columns<typeof annotationFields>;
  /** Of the annotations; only where masks are compared. */
  readonly segmentations: Segmentations;
  /** Of federated ground truth only. */
  readonly checks: ImageChecks | undefined;
  /** Of the annotations, for messages. */
  readonly source: Source;
}

/** Those of `EvaluateCocoOptions` that decide what is needed. */
export interface GroundTruthOptions {
  readonly iouType?: "bbox" | "segm";
  readonly federated?: boolean;
}

/** FILE_NOT_FOUND, or ANNOTATIONS_INVALID that names file, record, field and value. */
export function loadGroundTruth(input: GroundTruthInput, options: GroundTruthOptions): GroundTruth {
  const file = typeof input === "string" ? input : undefined;
  const source = { record: "annotation", file };
  const withMasks = options.iouType === "segm";
  const content = columnsOf(input, { withMasks, withImageRecords: options.federated === true }, source);
  const { images, imageRecords, annotations, categories, segmentations } = content;
  checkColumns(imageFields(withMasks), images, { record: "image", file });
  checkColumns(annotationFields, annotations, source);
  if (!withMasks) requireBoxes(annotations.boxXywh, source);
  return {
    images,
    annotations,
    categories: categoriesOf(categories, { record: "category", file }),
    segmentations,
    checks: options.federated ? imageChecks(imageRecords, { record: "image", file }) : undefined,
    source,
  };
}

function columnsOf(input: GroundTruthInput, wanted: GroundTruthWanted, source: Source): GroundTruthFile {
  if (typeof input === "string") return readGroundTruthFile(input, wanted);
  const image = { record: "image" };
  return {
    // Columns cannot say what an image was checked for.
    imageRecords: "imageIds" in input ? Array.from(input.imageIds, () => ({})) : input.images,
    images:
      "imageIds" in input
        ? columnsInMemory({ id: input.imageIds }, idFields, image)
        : columnsInMemory(input.images, imageFields(wanted.withMasks), image),
    annotations: columnsInMemory(input.annotations, annotationFields, source),
    categories: input.categories,
    segmentations: segmentationsIn(input.annotations),
  };
}

/** A category may lack a name, which only is shown. */
function categoriesOf(records: readonly unknown[], source: Source): FederatedCategory[] {
  const columns = columnsInMemory(records, idFields, source);
  checkColumns(idFields, columns, source);
  return records.map((record, row) => {
    const { name, frequency } = record as Partial<FederatedCategory>;
    return { id: columns.id[row] as number, name: String(name ?? ""), ...(frequency && { frequency }) };
  });
}
