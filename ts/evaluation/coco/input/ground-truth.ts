/** Ground truth, however it is given, to checked columns. */
import type { CocoCategory, CocoGroundTruth, CocoGroundTruthColumns } from "../coco-format.js";
import { annotationFields, type Columns, checkColumns, idFields, type Source } from "./fields.js";
import { type GroundTruthFile, readGroundTruthFile } from "./files.js";
import { columnsInMemory } from "./memory.js";

export type GroundTruthInput = string | CocoGroundTruth | CocoGroundTruthColumns;

export interface GroundTruth {
  readonly imageIds: Float64Array;
  readonly categories: readonly CocoCategory[];
  readonly annotations: Columns<typeof annotationFields>;
}

/** FILE_NOT_FOUND, or ANNOTATIONS_INVALID that names file, record, field and value. */
export function loadGroundTruth(input: GroundTruthInput): GroundTruth {
  const file = typeof input === "string" ? input : undefined;
  const image = { record: "image", file };
  const annotation = { record: "annotation", file };
  const { images, annotations, categories } = columnsOf(input, image, annotation);
  checkColumns(idFields, images, image);
  checkColumns(annotationFields, annotations, annotation);
  return { imageIds: images.id, annotations, categories: categoriesOf(categories, { record: "category", file }) };
}

function columnsOf(input: GroundTruthInput, image: Source, annotation: Source): GroundTruthFile {
  if (typeof input === "string") return readGroundTruthFile(input);
  return {
    images: columnsInMemory("imageIds" in input ? { id: input.imageIds } : input.images, idFields, image),
    annotations: columnsInMemory(input.annotations, annotationFields, annotation),
    categories: input.categories,
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
