/** What images were checked for, where each is annotated for some classes only. */
import { invalidValue, type Source } from "./fields.js";

/** Ids of classes, by row of the images. */
export interface ImageChecks {
  /** Known to be absent. */
  readonly absent: readonly (readonly number[])[];
  /** Some objects of them may not be annotated. */
  readonly notExhaustive: readonly (readonly number[])[];
}

/** ANNOTATIONS_INVALID if an image does not say what it was checked for. @param images parsed records. */
export function imageChecks(images: readonly unknown[], source: Source): ImageChecks {
  const idsOf = (name: string) =>
    images.map((image, row) => {
      const ids = (image as Readonly<Record<string, unknown>>)[name];
      if (Array.isArray(ids)) return ids as readonly number[];
      throw invalidValue({ name, kind: "id" }, String(JSON.stringify(ids)), row, source, "not a list of classes");
    });
  return { absent: idsOf("neg_category_ids"), notExhaustive: idsOf("not_exhaustive_category_ids") };
}
