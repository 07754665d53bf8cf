/** The `segmentation` members of records, one a row. */
import type { Outline } from "../../../masks/outline.js";
import type { RunRoom } from "../../../masks/run-room.js";
import { outlineOfSegmentation, type Segmentation } from "../../../masks/segmentation.js";

export interface Segmentations {
  has(row: number): boolean;
  /**
   * The mask of a row, which may be in the room, where it is not kept. ANNOTATIONS_INVALID if there is none or it is wrong.
   * @param width of the image, px, which polygons need; else NaN. @param height likewise.
   */
  outlineAt(row: number, width: number, height: number, room: RunRoom): Outline;
}

/** Of parsed JSON. */
export function segmentationsInMemory(at: (row: number) => unknown): Segmentations {
  return {
    has: (row) => at(row) !== undefined,
    outlineAt: (row, width, height, room) => outlineOfSegmentation(at(row) as Segmentation, width, height, room),
  };
}

export const noSegmentations: Segmentations = segmentationsInMemory(() => undefined);

/** Of a list of parsed records; a user's columns have none. */
export function segmentationsIn(input: unknown): Segmentations {
  if (!Array.isArray(input)) return noSegmentations;
  return segmentationsInMemory((row) => (input[row] as { segmentation?: unknown } | undefined)?.segmentation);
}
