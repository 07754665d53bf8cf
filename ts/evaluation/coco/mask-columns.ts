/** The masks of annotations, one a row. They are made when asked for, since most detections are compared with nothing. */
import type { BoxXywh } from "../../core/boxes.js";
import { CasslError } from "../../core/errors.js";
import { fromBox } from "../../masks/polygon.js";
import { describeRecord, type ImageColumns, type Source } from "./input/fields.js";
import type { Segmentations } from "./input/segmentations.js";
import { type Mask, maskKernel } from "./mask-kernel.js";
import { positionsOf } from "./positions.js";

export interface Masks {
  /** In the kernel. ANNOTATIONS_INVALID names the annotation and what is wrong. */
  maskAt(row: number): Mask;
  /** About the masks that were asked for. */
  warnings(): string[];
}

export interface MaskInput {
  readonly segmentations: Segmentations;
  /** (rows, 4). Boxes that stand in for missing masks. */
  readonly boxXywh?: Float64Array | undefined;
  /** Position of each row's image. */
  readonly images: Int32Array;
  /** Of each image. */
  readonly sizes: ImageSizes;
  readonly source: Source;
}

/** px. NaN where they are not known. */
export interface ImageSizes {
  readonly width: Float64Array;
  readonly height: Float64Array;
}

/** By position in `imageIds`. Of several images with one id the last counts. */
export function imageSizes(images: ImageColumns, imageIds: readonly number[]): ImageSizes {
  const width = new Float64Array(imageIds.length).fill(NaN);
  const height = new Float64Array(imageIds.length).fill(NaN);
  positionsOf(images.id, imageIds).forEach((position, row) => {
    if (position < 0) return;
    width[position] = images.width?.[row] ?? NaN;
    height[position] = images.height?.[row] ?? NaN;
  });
  return { width, height };
}

export function masksOf(input: MaskInput): Masks {
  const { images, sizes, source } = input;
  const { widthOf, heightOf } = maskKernel();
  let misfit: string | undefined;
  return {
    maskAt(row) {
      const width = sizes.width[images[row] as number] as number;
      const height = sizes.height[images[row] as number] as number;
      const mask = makeMask(input, row, width, height);
      if (differ(widthOf(mask), width) || differ(heightOf(mask), height)) {
        misfit ??=
          `${describeRecord(row, source)} has a mask of ${widthOf(mask)}x${heightOf(mask)} px, unlike its image: ` +
          "as in pycocotools, it matches only masks of that size.";
      }
      return mask;
    },
    warnings: () => (misfit === undefined ? [] : [misfit]),
  };
}

/** Says which annotation it is if its mask cannot be read. */
function makeMask({ segmentations, boxXywh, source }: MaskInput, row: number, width: number, height: number): Mask {
  try {
    if (boxXywh && !segmentations.has(row)) return maskKernel().ofRle(fromBox(boxAt(boxXywh, row), width, height));
    return segmentations.maskAt(row, width, height);
  } catch (error) {
    if (!(error instanceof CasslError)) throw error;
    const message = `${describeRecord(row, source)} has a wrong mask: ${error.message}`;
    throw new CasslError(error.reason, message, error.remedy, { cause: error });
  }
}

function boxAt(boxXywh: Float64Array, row: number): BoxXywh {
  return boxXywh.subarray(4 * row, 4 * row + 4) as unknown as BoxXywh;
}

/** Nothing differs from a side that is not known. */
function differ(side: number, imageSide: number): boolean {
  return side !== imageSide && !Number.isNaN(imageSide);
}
