/**
 * From a grid of logits to the mask of an image: the pixels whose logit is above 0, sampled bilinearly. In double precision and
 * in the order of operations that golden vectors fix, so that every language gives the same pixels.
 */
import { countsOfEnds, type Rle } from "../../masks/rle.js";
import type { Size } from "./letterbox.js";

/** A part of a grid: rows from `top` on, columns from `left` on. */
export interface LogitGrid {
  /** (rows, columns) of the part. */
  readonly logits: Float64Array;
  readonly columns: number;
  readonly left: number;
  readonly top: number;
}

/** Where the pixels of one axis that lie in a box stand on a grid. */
export interface GridAxis {
  /** The first such pixel. */
  readonly first: number;
  /** (P,) the cell before each pixel. */
  readonly before: Int32Array;
  /** (P,) the cell after it; the same at the grid's edge. */
  readonly after: Int32Array;
  /** (P,) how far it is from the one to the other, in [0, 1]. */
  readonly share: Float64Array;
}

/**
 * @param low and @param high the box's sides on this axis, px of the image; pixels whose center is in [low, high) are inside.
 * @param placeOf a center, px of the image, in cells of the grid: 0 is the center of the first cell.
 * @param cells of the grid on this axis. Places beyond its outermost centers are taken for these.
 */
export function gridAxis(low: number, high: number, cells: number, placeOf: (center: number) => number): GridAxis {
  const first = Math.ceil(low - 0.5);
  const count = Math.max(0, Math.ceil(high - 0.5) - first);
  const axis = { first, before: new Int32Array(count), after: new Int32Array(count), share: new Float64Array(count) };
  for (let at = 0; at < count; at++) {
    const place = Math.min(Math.max(placeOf(first + at + 0.5), 0), cells - 1);
    const before = Math.min(Math.floor(place), Math.max(cells - 2, 0));
    axis.before[at] = before;
    axis.after[at] = Math.min(before + 1, cells - 1);
    axis.share[at] = place - before;
  }
  return axis;
}

/** The cells of a grid that some pixels need, as [first, after the last]; there must be pixels. */
export function cellsOf({ before, after }: GridAxis): [first: number, stop: number] {
  return [before[0] as number, (after.at(-1) as number) + 1];
}

/** The mask of the image, of pixels of both axes. Undefined if there is none above 0. */
export function paintGrid(grid: LogitGrid, x: GridAxis, y: GridAxis, { widthPx, heightPx }: Size): Rle | undefined {
  const ends: number[] = [];
  const column = new Float64Array(grid.logits.length / grid.columns);
  for (let at = 0; at < x.share.length; at++) {
    interpolateColumn(grid, x, at, column);
    paintColumn(column, y, grid.top, (x.first + at) * heightPx + y.first, ends);
  }
  if (ends.length === 0) return undefined;
  const pixels = widthPx * heightPx;
  if (ends.at(-1) !== pixels) ends.push(pixels);
  return { width: widthPx, height: heightPx, counts: countsOfEnds(ends) };
}

/** The grid's rows at one pixel of the horizontal axis. */
function interpolateColumn(
  { logits, columns, left }: LogitGrid,
  { before, after, share }: GridAxis,
  at: number,
  column: Float64Array,
): void {
  const toAfter = share[at] as number;
  const toBefore = 1 - toAfter;
  let cell = (before[at] as number) - left;
  const step = (after[at] as number) - (before[at] as number);
  for (let row = 0; row < column.length; row++, cell += columns) {
    column[row] = (logits[cell] as number) * toBefore + (logits[cell + step] as number) * toAfter;
  }
}

/**
 * Appends where the runs of a column of pixels start and end, counted from its first pixel at `position`.
 * Between two cells of one sign all pixels have that sign, rounding included, which leaves few to be computed.
 */
function paintColumn(column: Float64Array, y: GridAxis, top: number, position: number, ends: number[]): void {
  const { before, after, share } = y;
  for (let at = 0, stop = 0; at < share.length; at = stop) {
    const upper = column[(before[at] as number) - top] as number;
    const lower = column[(after[at] as number) - top] as number;
    stop = at + 1;
    while (stop < share.length && before[stop] === before[at]) stop++;
    if (upper <= 0 && lower <= 0) continue;
    if (upper > 0 && lower > 0) appendRun(position + at, position + stop, ends);
    else {
      for (let pixel = at; pixel < stop; pixel++) {
        const down = share[pixel] as number;
        if (upper * (1 - down) + lower * down > 0) appendRun(position + pixel, position + pixel + 1, ends);
      }
    }
  }
}

/** `ends` alternate: where zeros end, where ones end. Runs that touch become one. */
function appendRun(start: number, end: number, ends: number[]): void {
  if (ends.at(-1) === start) ends[ends.length - 1] = end;
  else ends.push(start, end);
}
