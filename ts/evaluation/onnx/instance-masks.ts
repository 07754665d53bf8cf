/** The mask outputs of a model to masks of the image. The worker's prediction does the same. */
import type { BoxXyxy } from "../../core/boxes.js";
import { encodeCounts } from "../../masks/counts-string.js";
import { fitSize, type Size } from "./letterbox.js";
import { cellsOf, type GridAxis, gridAxis, type LogitGrid, paintGrid } from "./logit-grid.js";

/** What a model says of the masks of one image's L locations. */
export type MaskOutput = Prototypes | Regions;

/** The logits of a location are the sum of the prototypes, each times its number of the location's embedding. */
export interface Prototypes {
  readonly kind: "prototypes";
  /** (L, C). */
  readonly embeddings: Float32Array;
  /** (C, rows, columns), grids over the whole input. */
  readonly prototypes: Float32Array;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
}

/** A grid of logits over the box of each location. */
export interface Regions {
  readonly kind: "regions";
  /** (L, M, side, side). */
  readonly logits: Float32Array;
  /** M: the number of classes, or 1 where masks are the same for all. */
  readonly classes: number;
  readonly side: number;
}

/** An object that was found. */
export interface Found {
  readonly location: number;
  readonly classIndex: number;
  /** px of the input, as the model gives it. */
  readonly candidateXyxy: BoxXyxy;
  /** px of the image, clipped to it. The mask lies inside its corners in float32, which is how the worker stores them. */
  readonly boxXyxy: BoxXyxy;
}

/** The mask of the whole image as COCO's counts string. Undefined if it has no pixel. */
export function maskCounts(masks: MaskOutput, found: Found, input: Size, image: Size): string | undefined {
  const rle =
    masks.kind === "prototypes"
      ? maskOfPrototypes(masks, found, input, image)
      : maskOfRegion(masks, found, input, image);
  return rle && encodeCounts(rle.counts);
}

function maskOfPrototypes(masks: Prototypes, { location, boxXyxy }: Found, input: Size, image: Size) {
  const [left, top, right, bottom] = boxXyxy.map(Math.fround) as unknown as BoxXyxy;
  const fit = fitSize(image, input);
  const { columns, rows } = masks;
  const x = gridAxis(left, right, columns, (center) => {
    return (((center * fit.widthPx) / image.widthPx) * columns) / input.widthPx - 0.5;
  });
  const y = gridAxis(top, bottom, rows, (center) => {
    return (((center * fit.heightPx) / image.heightPx) * rows) / input.heightPx - 0.5;
  });
  if (isEmpty(x, y)) return undefined;
  return paintGrid(combinedPrototypes(masks, location, x, y), x, y, image);
}

/** The part of the location's grid that the pixels need. */
function combinedPrototypes(
  { embeddings, prototypes, channels, rows, columns }: Prototypes,
  location: number,
  x: GridAxis,
  y: GridAxis,
): LogitGrid {
  const [left, right] = cellsOf(x);
  const [top, bottom] = cellsOf(y);
  const width = right - left;
  const logits = new Float64Array(width * (bottom - top));
  for (let channel = 0; channel < channels; channel++) {
    const weight = embeddings[location * channels + channel] as number;
    for (let row = top, at = 0; row < bottom; row++) {
      let from = (channel * rows + row) * columns + left;
      for (const stop = from + width; from < stop; from++, at++) {
        logits[at] = (logits[at] as number) + weight * (prototypes[from] as number);
      }
    }
  }
  return { logits, columns: width, left, top };
}

function maskOfRegion({ logits, classes, side }: Regions, found: Found, input: Size, image: Size) {
  const { location, classIndex, boxXyxy, candidateXyxy } = found;
  const [left, top, right, bottom] = boxXyxy.map(Math.fround) as unknown as BoxXyxy;
  const fit = fitSize(image, input);
  const axis = (low: number, high: number, from: number, to: number, scale: number): GridAxis => {
    const [start, end] = [from * scale, to * scale];
    return gridAxis(low, high, side, (center) => ((center - start) / (end - start)) * side - 0.5);
  };
  const x = axis(left, right, candidateXyxy[0], candidateXyxy[2], image.widthPx / fit.widthPx);
  const y = axis(top, bottom, candidateXyxy[1], candidateXyxy[3], image.heightPx / fit.heightPx);
  if (isEmpty(x, y)) return undefined;
  const first = (location * classes + (classes === 1 ? 0 : classIndex)) * side * side;
  const grid = { logits: Float64Array.from(logits.subarray(first, first + side * side)), columns: side };
  return paintGrid({ ...grid, left: 0, top: 0 }, x, y, image);
}

function isEmpty(x: GridAxis, y: GridAxis): boolean {
  return x.share.length === 0 || y.share.length === 0;
}
