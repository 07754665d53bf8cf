/** The `segmentation` members of records, one a row. */
import { readSegmentation, type Segmentation } from "../../../masks/segmentation.js";
import { type Mask, maskKernel } from "../mask-kernel.js";

export interface Segmentations {
  has(row: number): boolean;
  /**
   * The mask of a row, in the kernel. ANNOTATIONS_INVALID if there is none or it is wrong.
   * @param width of the image, px, which polygons need; else NaN. @param height likewise.
   */
  maskAt(row: number, width: number, height: number): Mask;
}

/** Of parsed JSON. */
export function segmentationsInMemory(at: (row: number) => unknown): Segmentations {
  return {
    has: (row) => at(row) !== undefined,
    maskAt: (row, width, height) => maskKernel().ofRle(readSegmentation(at(row) as Segmentation, width, height)),
  };
}

export const noSegmentations: Segmentations = segmentationsInMemory(() => undefined);

/** Of a list of parsed records; a user's columns have none. */
export function segmentationsIn(input: unknown): Segmentations {
  if (!Array.isArray(input)) return noSegmentations;
  return segmentationsInMemory((row) => (input[row] as { segmentation?: unknown } | undefined)?.segmentation);
}
