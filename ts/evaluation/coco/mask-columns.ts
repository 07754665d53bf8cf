/** The masks of annotations, one a row. They are made when asked for, since most detections are compared with nothing. */
import { CasslError } from "../../core/errors.js";
import { type Outline, outlineOf } from "../../masks/outline.js";
import { fromBox } from "../../masks/polygon.js";
import { newRunRoom, type RunRoom } from "../../masks/run-room.js";
import { describeRecord, type ImageColumns, type Source } from "./input/fields.js";
import type { Segmentations } from "./input/segmentations.js";
import { positionsOf } from "./positions.js";

export interface Masks {
  /** Valid until another is asked for, if it is not kept. ANNOTATIONS_INVALID names the annotation and what is wrong. */
  outlineAt(row: number): Outline;
  /** Lets the outline that was asked for last stay valid. */
  keep(outline: Outline): void;
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
  const room = newRunRoom();
  let misfit: string | undefined;
  return {
    outlineAt(row) {
      const width = sizes.width[images[row] as number] as number;
      const height = sizes.height[images[row] as number] as number;
      const outline = makeOutline(input, row, width, height, room);
      if (differ(outline.width, width) || differ(outline.height, height)) {
        misfit ??=
          `${describeRecord(row, source)} has a mask of ${outline.width}x${outline.height} px, unlike its image: ` +
          "as in pycocotools, it matches only masks of that size.";
      }
      return outline;
    },
    keep(outline) {
      if (outline.ends === room.memory) room.used = outline.first + outline.runs;
    },
    warnings: () => (misfit === undefined ? [] : [misfit]),
  };
}

/** So many runs are remembered, 4 bytes each: the masks of some ten thousand detections. */
const MOST_RUNS = 2 ** 23;

/** The same masks, of which as many as there is room for are made only once. @param rows how many there are. */
export function remembered(masks: Masks, rows: number): Masks {
  const outlines = new Array<Outline | undefined>(rows);
  let runs = 0;
  return {
    ...masks,
    outlineAt(row) {
      const known = outlines[row];
      if (known !== undefined) return known;
      const outline = masks.outlineAt(row);
      runs += outline.runs;
      if (runs > MOST_RUNS) return outline;
      masks.keep(outline);
      outlines[row] = outline;
      return outline;
    },
  };
}

/** Says which annotation it is if its mask cannot be read. */
function makeOutline(input: MaskInput, row: number, width: number, height: number, room: RunRoom): Outline {
  const { segmentations, boxXywh, source } = input;
  try {
    if (boxXywh && !segmentations.has(row)) return outlineOfBox(boxXywh, row, width, height);
    return segmentations.outlineAt(row, width, height, room);
  } catch (error) {
    if (!(error instanceof CasslError)) throw error;
    const message = `${describeRecord(row, source)} has a wrong mask: ${error.message}`;
    throw new CasslError(error.reason, message, error.remedy, { cause: error });
  }
}

function outlineOfBox(boxes: Float64Array, row: number, width: number, height: number): Outline {
  const box = boxes.subarray(4 * row, 4 * row + 4) as unknown as [number, number, number, number];
  return outlineOf(fromBox(box, width, height));
}

/** Nothing differs from a side that is not known. */
function differ(side: number, imageSide: number): boolean {
  return side !== imageSide && !Number.isNaN(imageSide);
}
