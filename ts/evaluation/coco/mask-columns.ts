/** The masks of annotations, one a row. They are made when asked for, since most detections are compared with nothing. */
import { CasslError } from "../../core/errors.js";
import type { Outline } from "../../masks/outline.js";
import { outlineOfSegmentation, type Segmentation } from "../../masks/segmentation.js";
import type { CocoGroundTruth, CocoImage, CocoResults } from "./coco-format.js";

export interface Masks {
  /** Valid until the next mask is asked for. ANNOTATIONS_INVALID names the annotation and what is wrong with its mask. */
  outlineAt(row: number): Outline;
  /** About the masks that were asked for. */
  warnings(): string[];
}

export function groundTruthMasks({ annotations, images }: CocoGroundTruth): Masks {
  const segmentationAt = (row: number) => annotations[row]?.segmentation;
  return masksOf("ground truth annotation", annotations, segmentationAt, images);
}

/** Where a result has no mask, its box is one, unless masks decide areas. */
export function resultMasks(results: CocoResults, images: readonly CocoImage[]): Masks {
  const needsMasks = areMeasuredByMask(results);
  const segmentationAt = (row: number) => {
    const { segmentation, bbox } = results[row] as CocoResults[number];
    return segmentation === undefined && !needsMasks ? rectangle(bbox as readonly number[]) : segmentation;
  };
  return masksOf("result", results, segmentationAt, images);
}

/** Whether the areas of results are those of their masks, which the first decides. */
export function areMeasuredByMask([first]: CocoResults): boolean {
  return first?.segmentation !== undefined && !hasBox(first);
}

/** An empty list is none. */
export function hasBox({ bbox }: { readonly bbox?: readonly number[] }): boolean {
  return bbox !== undefined && bbox.length !== 0;
}

function masksOf(
  name: string,
  records: readonly { readonly image_id: number }[],
  segmentationAt: (row: number) => Segmentation | undefined,
  images: readonly CocoImage[],
): Masks {
  const imagesById = new Map(images.map((image) => [image.id, image]));
  let misfit: string | undefined;
  return {
    outlineAt: (row) => {
      const { width = NaN, height = NaN } = imagesById.get(records[row]?.image_id as number) ?? {};
      const annotation = `${name} at position ${row}`;
      const outline = named(annotation, () =>
        outlineOfSegmentation(segmentationAt(row) as Segmentation, width, height),
      );
      if (differ(outline.width, width) || differ(outline.height, height)) misfit ??= aboutMisfit(annotation, outline);
      return outline;
    },
    warnings: () => (misfit === undefined ? [] : [misfit]),
  };
}

/** Nothing differs from a side that is not known. */
function differ(side: number, imageSide: number): boolean {
  return side !== imageSide && !Number.isNaN(imageSide);
}

function aboutMisfit(annotation: string, { width, height }: Outline): string {
  return (
    `The mask of the ${annotation} is ${width}x${height} px, unlike its image: as in pycocotools, ` +
    "it matches only masks of that size."
  );
}

function rectangle(bbox: readonly number[]): Segmentation {
  const [x, y, width, height] = bbox as [number, number, number, number];
  return [[x, y, x, y + height, x + width, y + height, x + width, y]];
}

/** Says which annotation it is that cannot be read. */
function named<T>(annotation: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CasslError)) throw error;
    throw new CasslError(error.reason, `The mask of the ${annotation} is wrong. ${error.message}`, error.remedy, {
      cause: error,
    });
  }
}
