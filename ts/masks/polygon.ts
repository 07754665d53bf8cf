/** Polygons and boxes to masks, with the roundings of pycocotools: the same masks to the last pixel. */
import type { BoxXywh } from "../core/boxes.js";
import { reusedIntegers } from "./memory.js";
import { countsOfEnds, invalidMask, pixelsOf, type Rle } from "./rle.js";

/** Polygons are drawn on a grid that is finer by this factor; the center of pixel p is between its points 5p + 2 and 5p + 3. */
const SCALE = 5;
const CENTER = 2;
/** Coordinates may not be farther out, px: that keeps points of the finer grid exact. */
const FARTHEST = 1e7;
/** Up to here sorting by insertion is the fastest. */
const FEW = 32;

/**
 * @param polygon corners [x, y, x, y, ...] in px, at least three; it may leave the image and cross itself.
 * ANNOTATIONS_INVALID for anything else.
 */
export function fromPolygon(polygon: ArrayLike<number>, width: number, height: number): Rle {
  if (polygon.length >= 6 && polygon.length % 2 === 0) return rasterize(polygon, width, height);
  throw invalidMask(`A polygon has ${polygon.length} numbers.`, "Give x and y of at least three corners.");
}

/** ANNOTATIONS_INVALID for a box of other than finite numbers. */
export function fromBox([x, y, boxWidth, boxHeight]: BoxXywh, width: number, height: number): Rle {
  const right = x + boxWidth;
  const bottom = y + boxHeight;
  return rasterize([x, y, x, bottom, right, bottom, right, y], width, height);
}

/**
 * Where the outline passes the centers of pixel columns, which is all that decides the mask: down a column, its pixels change
 * at each of the column's rows.
 */
interface Crossings {
  /** The columns that are crossed: from `left` on, before `right`. */
  readonly left: number;
  readonly right: number;
  /** Where the rows of each column from `left` on start; one entry more than there are columns. */
  readonly starts: Int32Array;
  /** In 0..height, column by column. */
  readonly rows: Int32Array;
}

const memory = {
  xs: reusedIntegers(),
  ys: reusedIntegers(),
  starts: reusedIntegers(),
  next: reusedIntegers(),
  rows: reusedIntegers(),
  ends: reusedIntegers(),
};

function rasterize(polygon: ArrayLike<number>, width: number, height: number): Rle {
  pixelsOf(width, height);
  const corners = polygon.length / 2;
  const xs = writeFinerPoints(polygon, 0, memory.xs(corners + 1));
  const ys = writeFinerPoints(polygon, 1, memory.ys(corners + 1));
  const crossings = emptyCrossings(xs, corners, width);
  addEdges(xs, ys, corners, height, crossings);
  return { width, height, counts: runsBetween(crossings, width, height) };
}

/** One coordinate of each corner on the finer grid, and the first again. Halves below 0 go up, as a cast in C takes them. */
function writeFinerPoints(polygon: ArrayLike<number>, axis: 0 | 1, points: Int32Array): Int32Array {
  const corners = polygon.length / 2;
  for (let corner = 0; corner < corners; corner++) {
    const coordinate = polygon[2 * corner + axis] as number;
    if (!Number.isFinite(coordinate) || Math.abs(coordinate) > FARTHEST) {
      const shown = typeof coordinate === "number" ? coordinate : JSON.stringify(coordinate);
      throw invalidMask(`A corner has the coordinate ${shown}.`, "Give finite numbers of px, up to 10 million.");
    }
    points[corner] = (SCALE * coordinate + 0.5) | 0;
  }
  points[corners] = points[0] as number;
  return points;
}

/** The first pixel of 0..limit whose center is not before a point of the finer grid. */
function firstPixel(point: number, limit: number): number {
  const pixel = ((point + CENTER) / SCALE) | 0;
  return pixel < 0 ? 0 : pixel > limit ? limit : pixel;
}

/** Room for each column's rows: an edge crosses every column between its ends once. */
function emptyCrossings(xs: Int32Array, corners: number, width: number): Crossings {
  let left = width;
  let right = 0;
  for (let corner = 0; corner < corners; corner++) {
    const column = firstPixel(xs[corner] as number, width);
    left = Math.min(left, column);
    right = Math.max(right, column);
  }
  const starts = memory.starts(right - left + 2).fill(0, 0, right - left + 2);
  for (let corner = 0; corner < corners; corner++) {
    const here = firstPixel(xs[corner] as number, width) - left;
    const there = firstPixel(xs[corner + 1] as number, width) - left;
    starts[Math.min(here, there) + 1] = (starts[Math.min(here, there) + 1] as number) + 1;
    starts[Math.max(here, there) + 1] = (starts[Math.max(here, there) + 1] as number) - 1;
  }
  let crossed = 0;
  for (let column = 0; column < right - left; column++) {
    crossed += starts[column + 1] as number;
    starts[column + 1] = (starts[column] as number) + crossed;
  }
  return { left, right, starts, rows: memory.rows(starts[right - left] as number) };
}

function addEdges(xs: Int32Array, ys: Int32Array, corners: number, height: number, crossings: Crossings): void {
  const { left, right, starts, rows } = crossings;
  const next = memory.next(right - left);
  for (let column = 0; column < right - left; column++) next[column] = starts[column] as number;
  for (let corner = 0; corner < corners; corner++) {
    const x0 = xs[corner] as number;
    const y0 = ys[corner] as number;
    const x1 = xs[corner + 1] as number;
    const y1 = ys[corner + 1] as number;
    const from = firstPixel(Math.min(x0, x1), right);
    const to = firstPixel(Math.max(x0, x1), right);
    if (from === to) continue;
    const isSteep = Math.abs(x1 - x0) < Math.abs(y1 - y0);
    const crossing = isSteep ? steepCrossing : flatCrossing;
    const isReversed = isSteep ? y0 > y1 : x0 > x1;
    for (let column = from; column < to; column++) {
      const point = isReversed ? crossing(x1, y1, x0, y0, column) : crossing(x0, y0, x1, y1, column);
      const place = next[column - left] as number;
      next[column - left] = place + 1;
      rows[place] = firstPixel(point, height);
    }
  }
}

/**
 * Where an edge that goes right, more than it goes up or down, crosses a column: the upper of its two points, one a column of
 * the finer grid, beside the centers of the pixels.
 */
function flatCrossing(x0: number, y0: number, x1: number, y1: number, column: number): number {
  const slope = (y1 - y0) / (x1 - x0);
  const step = SCALE * column + CENTER - x0 + (slope < 0 ? 1 : 0);
  return (y0 + slope * step + 0.5) | 0;
}

/** The same for an edge that goes down, which has one point a row of the finer grid: the last before it changes sides. */
function steepCrossing(x0: number, y0: number, x1: number, y1: number, column: number): number {
  const slope = (x1 - x0) / (y1 - y0);
  const goesRight = slope > 0;
  const firstRight = SCALE * column + CENTER + 1;
  // The division may be off by one; what rounds to which side decides.
  let step = Math.ceil((firstRight - 0.5 - x0) / slope);
  while (x0 + slope * step + 0.5 >= firstRight !== goesRight) step++;
  while (x0 + slope * (step - 1) + 0.5 >= firstRight === goesRight) step--;
  return y0 + step - 1;
}

/** Zeros first. Two crossings at one place cancel out. */
function runsBetween({ left, right, starts, rows }: Crossings, width: number, height: number): Uint32Array {
  const ends = memory.ends((starts[right - left] as number) + 1);
  let count = 0;
  for (let column = left; column < right; column++) {
    const start = starts[column - left] as number;
    const stop = starts[column - left + 1] as number;
    sortRange(rows, start, stop);
    for (let at = start; at < stop; at++) {
      const position = column * height + (rows[at] as number);
      if (count > 0 && ends[count - 1] === position) count--;
      else ends[count++] = position;
    }
  }
  const pixels = width * height;
  if (count === 0 || ends[count - 1] !== pixels) ends[count++] = pixels;
  return countsOfEnds(ends.subarray(0, count));
}

function sortRange(values: Int32Array, start: number, stop: number): void {
  if (stop - start > FEW) {
    values.subarray(start, stop).sort();
    return;
  }
  for (let sorted = start + 1; sorted < stop; sorted++) {
    const value = values[sorted] as number;
    let at = sorted;
    for (; at > start && (values[at - 1] as number) > value; at--) values[at] = values[at - 1] as number;
    values[at] = value;
  }
}
