/** Polygons to runs, as `fromPolygon` of ts/masks/polygon.ts makes them; the comments there say why. */
import { endsOf, maskOfRuns } from "./mask";
import { integerAt, reserve, setInteger, top } from "./memory";

/** Points are on a grid that is finer than that of the pixels by this factor. */
export const SCALE = 5;
const CENTER = 2;

/** Bytes of a point: x and y on the finer grid. */
export const POINT: usize = 8;

/** The columns that are crossed: from `left` on, before `right`. */
let left = 0;
let right = 0;
/** Where the rows of each column from `left` on start; one entry more than there are columns. */
let starts: usize = 0;
/** In 0..height, column by column. */
let rows: usize = 0;

/** More crossings are left to `fromPolygon`: memory here ends at 4 GiB. */
const MOST_CROSSINGS: i64 = 1 << 26;

/** 0 if it is too large. @param points of the corners, of which the first follows again after the last. */
export function maskOfPolygon(points: usize, corners: i32, width: i32, height: i32): usize {
  if (!countCrossings(points, corners, width)) return 0;
  addEdges(points, corners, height);
  const ends = reserve(usize(integerAt(starts, right - left) + 1) << 2);
  const runs = writeEnds(ends, width, height);
  let start = 0;
  for (let run = 0; run < runs; run++) {
    const end = integerAt(ends, run);
    setInteger(endsOf(top), run, end - start);
    start = end;
  }
  return maskOfRuns(runs, width, height);
}

function xOf(points: usize, corner: i32): i32 {
  return load<i32>(points + usize(corner) * POINT);
}

function yOf(points: usize, corner: i32): i32 {
  return load<i32>(points + usize(corner) * POINT, 4);
}

function firstPixel(point: i32, limit: i32): i32 {
  return min(max((point + CENTER) / SCALE, 0), limit);
}

/** False if there are too many. */
function countCrossings(points: usize, corners: i32, width: i32): bool {
  left = width;
  right = 0;
  for (let corner = 0; corner < corners; corner++) {
    const column = firstPixel(xOf(points, corner), width);
    left = min(left, column);
    right = max(right, column);
  }
  const size = usize(right - left + 2) << 2;
  starts = reserve(size);
  memory.fill(starts, 0, size);
  for (let corner = 0; corner < corners; corner++) {
    const here = firstPixel(xOf(points, corner), width) - left;
    const there = firstPixel(xOf(points, corner + 1), width) - left;
    addTo(min(here, there) + 1, 1);
    addTo(max(here, there) + 1, -1);
  }
  let crossed = 0;
  for (let column = 0; column < right - left; column++) {
    crossed += integerAt(starts, column + 1);
    if (i64(integerAt(starts, column)) + i64(crossed) > MOST_CROSSINGS) return false;
    setInteger(starts, column + 1, integerAt(starts, column) + crossed);
  }
  rows = reserve(usize(integerAt(starts, right - left)) << 2);
  return true;
}

function addTo(column: i32, value: i32): void {
  setInteger(starts, column, integerAt(starts, column) + value);
}

function addEdges(points: usize, corners: i32, height: i32): void {
  const size = usize(right - left) << 2;
  const next = reserve(size);
  memory.copy(next, starts, size);
  for (let corner = 0; corner < corners; corner++) {
    const x0 = xOf(points, corner);
    const y0 = yOf(points, corner);
    const x1 = xOf(points, corner + 1);
    const y1 = yOf(points, corner + 1);
    const from = firstPixel(min(x0, x1), right);
    const to = firstPixel(max(x0, x1), right);
    const isSteep = abs(x1 - x0) < abs(y1 - y0);
    const isReversed = isSteep ? y0 > y1 : x0 > x1;
    for (let column = from; column < to; column++) {
      const point = isReversed ? crossing(isSteep, x1, y1, x0, y0, column) : crossing(isSteep, x0, y0, x1, y1, column);
      const place = integerAt(next, column - left);
      setInteger(next, column - left, place + 1);
      setInteger(rows, place, firstPixel(point, height));
    }
  }
}

function crossing(isSteep: bool, x0: i32, y0: i32, x1: i32, y1: i32, column: i32): i32 {
  return isSteep ? steepCrossing(x0, y0, x1, y1, column) : flatCrossing(x0, y0, x1, y1, column);
}

function flatCrossing(x0: i32, y0: i32, x1: i32, y1: i32, column: i32): i32 {
  const slope = f64(y1 - y0) / f64(x1 - x0);
  const step = SCALE * column + CENTER - x0 + (slope < 0 ? 1 : 0);
  return i32(f64(y0) + slope * f64(step) + 0.5);
}

function steepCrossing(x0: i32, y0: i32, x1: i32, y1: i32, column: i32): i32 {
  const slope = f64(x1 - x0) / f64(y1 - y0);
  const goesRight = slope > 0;
  const firstRight = f64(SCALE * column + CENTER + 1);
  let step = ceil<f64>((firstRight - 0.5 - f64(x0)) / slope);
  while (f64(x0) + slope * step + 0.5 >= firstRight !== goesRight) step++;
  while (f64(x0) + slope * (step - 1) + 0.5 >= firstRight === goesRight) step--;
  return y0 + i32(step) - 1;
}

function writeEnds(ends: usize, width: i32, height: i32): i32 {
  let count = 0;
  for (let column = left; column < right; column++) {
    const start = integerAt(starts, column - left);
    const stop = integerAt(starts, column - left + 1);
    sort(rows + (usize(start) << 2), stop - start);
    for (let at = start; at < stop; at++) {
      const position = column * height + integerAt(rows, at);
      if (count > 0 && integerAt(ends, count - 1) === position) count--;
      else setInteger(ends, count++, position);
    }
  }
  const pixels = width * height;
  if (count === 0 || integerAt(ends, count - 1) !== pixels) setInteger(ends, count++, pixels);
  return count;
}

/** Shellsort with the gaps 1, 4, 13, ...: of the usual two to twelve values it is a sort by insertion. */
function sort(values: usize, count: i32): void {
  let gap = 1;
  while (gap < count / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap /= 3) {
    for (let sorted = gap; sorted < count; sorted++) {
      const value = integerAt(values, sorted);
      let at = sorted;
      for (; at >= gap && integerAt(values, at - gap) > value; at -= gap) {
        setInteger(values, at, integerAt(values, at - gap));
      }
      setInteger(values, at, value);
    }
  }
}
