/** Masks with pycocotools' results, as scripts/golden.py writes them. */
import assert from "node:assert/strict";
import type { BoxXywh } from "../../../ts/core/boxes.js";
import {
  area,
  decodeCounts,
  encodeCounts,
  fromBox,
  fromSegmentation,
  intersection,
  iou,
  type Polygons,
  type Rle,
  toBox,
  union,
} from "../../../ts/masks/index.js";
import { mergedPixels } from "./bitmaps.js";

export interface MaskCase {
  readonly width: number;
  readonly height: number;
  readonly segmentations: readonly ({ polygons: Polygons } | { box: BoxXywh } | { counts: number[] })[];
  readonly iscrowd: readonly (0 | 1)[];
  readonly masks: readonly DescribedMask[];
  /** (N, N). */
  readonly iou: readonly number[];
  readonly union: string;
  readonly intersection: string;
}

export interface DescribedMask {
  readonly counts: string;
  readonly area: number;
  readonly box: readonly number[];
}

export function described(mask: Rle): DescribedMask {
  return { counts: encodeCounts(mask.counts), area: area(mask), box: toBox(mask) };
}

/** The runs, areas, boxes and merged masks to the last pixel, the IoUs to the last bit. */
export function assertEqualsPycocotools(maskCase: MaskCase): void {
  const masks = maskCase.segmentations.map((segmentation) => maskOf(segmentation, maskCase));
  assert.deepEqual(masks.map(described), maskCase.masks, JSON.stringify(maskCase));
  assert.deepEqual([...iou(masks, masks, maskCase.iscrowd)], maskCase.iou, JSON.stringify(maskCase));
  assertMerged(union(masks), maskCase.union, maskCase, () => mergedPixels(masks, "union"));
  assertMerged(intersection(masks), maskCase.intersection, maskCase, () => mergedPixels(masks, "intersection"));
}

function maskOf(segmentation: MaskCase["segmentations"][number], { width, height }: MaskCase): Rle {
  if ("box" in segmentation) return fromBox(segmentation.box, width, height);
  const coco = "polygons" in segmentation ? segmentation.polygons : { size: [height, width] as const, ...segmentation };
  return fromSegmentation(coco, width, height);
}

/** What pycocotools merges does not always fill the image; then the pixels decide. */
function assertMerged(merged: Rle, expected: string, { width, height }: MaskCase, pixels: () => Uint8Array): void {
  const filled = decodeCounts(expected).reduce((sum, count) => sum + count, 0);
  if (filled === width * height) assert.equal(encodeCounts(merged.counts), expected);
  else assert.deepEqual(mergedPixels([merged], "union"), pixels());
}
