/** A mask in memory: nine 32-bit integers, then where each of its runs ends, as a position in the image. */
import { integerAt, keepUpTo, leave, reserve, setInteger, top } from "./memory";

const WIDTH = 0;
const HEIGHT = 1;
const AREA = 2;
const LEFT = 3;
const TOP = 4;
/** Unsigned: where all runs of ones are empty, sides of boxes wrap below 0, as in pycocotools. */
const BOX_WIDTH = 5;
const BOX_HEIGHT = 6;
/** Whether a run other than the first has no pixels. */
const HAS_EMPTY_RUNS = 7;
const RUNS = 8;

/** Bytes before the ends. */
export const HEADER: usize = 36;

export function widthOf(mask: usize): i32 {
  return integerAt(mask, WIDTH);
}

export function heightOf(mask: usize): i32 {
  return integerAt(mask, HEIGHT);
}

export function areaOf(mask: usize): i32 {
  return integerAt(mask, AREA);
}

export function leftOf(mask: usize): i64 {
  return i64(integerAt(mask, LEFT));
}

export function rightOf(mask: usize): i64 {
  return leftOf(mask) + i64(load<u32>(mask + (BOX_WIDTH << 2)));
}

export function topOf(mask: usize): i64 {
  return i64(integerAt(mask, TOP));
}

export function bottomOf(mask: usize): i64 {
  return topOf(mask) + i64(load<u32>(mask + (BOX_HEIGHT << 2)));
}

export function hasEmptyRuns(mask: usize): bool {
  return integerAt(mask, HAS_EMPTY_RUNS) !== 0;
}

export function runsOf(mask: usize): i32 {
  return integerAt(mask, RUNS);
}

export function endsOf(mask: usize): usize {
  return mask + HEADER;
}

/** Lets the mask that was made last stay. */
export function keep(mask: usize): void {
  keepUpTo(endsOf(mask) + (usize(runsOf(mask)) << 2));
}

/** Where the lengths of so many runs of the next mask are to be written. */
export function roomForRuns(runs: i32): usize {
  leave(0);
  return endsOf(reserve(HEADER + (usize(runs) << 2)));
}

/** Makes a mask at the top of memory, where its ends hold the lengths of the runs yet. 0 if they do not fill the image. */
export function maskOfRuns(runs: i32, width: i32, height: i32): usize {
  const pixels = i64(width) * i64(height);
  const ends = endsOf(top);
  let emptyRuns = 0;
  let area = 0;
  let end = 0;
  let left = width;
  let first = height;
  let bottom = 0;
  let last = 0;
  let column = 0;
  for (let at = 1; at < runs; at += 2) {
    const zeros = integerAt(ends, at - 1);
    const ones = integerAt(ends, at);
    if (i64(end) + i64(zeros) + i64(ones) > pixels) return 0;
    const start = end + zeros;
    end = start + ones;
    setInteger(ends, at - 1, start);
    setInteger(ends, at, end);
    area += ones;
    emptyRuns += i32(zeros === 0) + i32(ones === 0);
    if (ones === 0) continue;
    last = end - 1;
    // Most runs are in the column after that of the run before.
    if (start >= column + height) column += height;
    if (start >= column + height) column = start - (start % height);
    if (left === width) left = column / height;
    const isInOneColumn = last < column + height;
    first = min(first, isInOneColumn ? start - column : 0);
    bottom = max(bottom, isInOneColumn ? last - column : height - 1);
  }
  if ((runs & 1) === 1) {
    const zeros = integerAt(ends, runs - 1);
    if (i64(end) + i64(zeros) > pixels) return 0;
    end += zeros;
    setInteger(ends, runs - 1, end);
    emptyRuns += i32(zeros === 0);
  }
  if (i64(end) !== pixels) return 0;
  const hasBox = runs > 1;
  const right = last === 0 ? 0 : last / height;
  setInteger(top, WIDTH, width);
  setInteger(top, HEIGHT, height);
  setInteger(top, AREA, area);
  setInteger(top, LEFT, hasBox ? left : 0);
  setInteger(top, TOP, hasBox ? first : 0);
  setInteger(top, BOX_WIDTH, hasBox ? right - left + 1 : 0);
  setInteger(top, BOX_HEIGHT, hasBox ? bottom - first + 1 : 0);
  setInteger(top, HAS_EMPTY_RUNS, i32(emptyRuns > i32(runs > 0 && integerAt(ends, 0) === 0)));
  setInteger(top, RUNS, runs);
  return top;
}
