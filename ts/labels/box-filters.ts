/** Which boxes of an image to keep: by size, by nearness to the border, and outside of crowds. Indices, ascending. */
import { boxAreas, type FloatColumn, intersectionArea } from "../core/pair-iou.js";
import { iou } from "../masks/iou.js";
import type { Rle } from "../masks/rle.js";

export interface SizeLimits {
  /** px, of width and height. @default 0 */
  readonly minSide?: number;
  /** Largest over smallest side. @default Infinity */
  readonly maxAspect?: number;
  /** px^2. @default 0 */
  readonly minArea?: number;
  /** px^2. @default Infinity */
  readonly maxArea?: number;
}

/** The boxes within the limits, which belong to it, and of positive area. @param boxXyxy (N * 4) absolute px. */
export function keepSizes(boxXyxy: FloatColumn, limits: SizeLimits): number[] {
  const { minSide = 0, maxAspect = Number.POSITIVE_INFINITY, minArea = 0, maxArea = Number.POSITIVE_INFINITY } = limits;
  const areas = boxAreas(boxXyxy);
  return indicesWhere(areas.length, (box) => {
    const [left = 0, top = 0, right = 0, bottom = 0] = boxXyxy.subarray(4 * box, 4 * box + 4);
    const [width, height, area] = [right - left, bottom - top, areas[box] as number];
    const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
    return shorter > 0 && shorter >= minSide && longer <= maxAspect * shorter && area >= minArea && area <= maxArea;
  });
}

/**
 * The boxes that keep away from the border of the image: an object there may go on outside, and its box is not its size.
 * @param margin px; 0: a box that touches the border is dropped.
 */
export function keepInside(
  boxXyxy: FloatColumn,
  { width_px, height_px }: { readonly width_px: number; readonly height_px: number },
  margin = 0,
): number[] {
  return indicesWhere(boxXyxy.length / 4, (box) => {
    const [left = 0, top = 0, right = 0, bottom = 0] = boxXyxy.subarray(4 * box, 4 * box + 4);
    return left > margin && top > margin && right < width_px - margin && bottom < height_px - margin;
  });
}

/**
 * The boxes that do not lie in a crowd. As in COCO a crowd is compared with the area of the box alone: how much of the box it
 * covers.
 * @param crowdXyxy (C * 4) absolute px.
 * @param maxCovered in [0, 1]; a box of which one crowd covers more is dropped.
 */
export function keepOutsideCrowds(boxXyxy: FloatColumn, crowdXyxy: FloatColumn, maxCovered = 0.5): number[] {
  const areas = boxAreas(boxXyxy);
  const crowds = indicesWhere(crowdXyxy.length / 4, () => true);
  return indicesWhere(areas.length, (box) =>
    crowds.every((crowd) => intersectionArea(boxXyxy, box, crowdXyxy, crowd) <= maxCovered * (areas[box] as number)),
  );
}

/** The same of masks: how many of a mask's pixels a crowd covers. ANNOTATIONS_INVALID if runs do not fill their size. */
export function keepMasksOutsideCrowds(masks: readonly Rle[], crowds: readonly Rle[], maxCovered = 0.5): number[] {
  const covered = iou(
    masks,
    crowds,
    crowds.map(() => true),
  );
  return indicesWhere(masks.length, (mask) => {
    const row = covered.subarray(mask * crowds.length, (mask + 1) * crowds.length);
    return row.every((share) => share <= maxCovered);
  });
}

function indicesWhere(count: number, isKept: (index: number) => boolean): number[] {
  return Array.from({ length: count }, (_, index) => index).filter(isKept);
}
