/** The masks of segmentations from their JSON, where it is in a usual form. */
import { endsOf, HEADER, maskOfRuns } from "./mask";
import { integerAt, leave, reserve, setInteger, top } from "./memory";
import { maskOfPolygon, POINT, SCALE } from "./polygon";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT_CHARACTER = 0x2e;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const ZERO = 0x30;

/** "size" and the start of "counts", as little-endian integers. */
const SIZE = 0x657a6973;
const COUN = 0x6e756f63;

const MOST_PIXELS: i64 = 0x7fffffff;
const FARTHEST: f64 = 1e7;

/** Digits of a number that fit in 64 bits, and from where on a double does not hold it exactly. */
const MOST_DIGITS: usize = 18;
const INEXACT: u64 = 1 << 53;
/** Points of the finer grid are certain where they are farther from a change than numbers may be wrong. */
const TOLERANCE: f64 = 1e-6;

const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
]);

let position: usize = 0;
let isUsual = true;
/** Whether the last number is rounded as it should. */
let isExact = true;

/** So many bytes may be read, and ignored, after the end of a text. */
const PADDING: usize = 8;

/** Where so many bytes of JSON are to be written. */
export function roomForJson(bytes: i32): usize {
  // Compressed runs are at most as many as characters. The runs of a polygon are written over its text, which is read then.
  leave(HEADER + (usize(bytes) << 2));
  return reserve(usize(bytes) + PADDING);
}

/**
 * The mask of the JSON from `text` to `end`. 0 if that is of another form, or wrong.
 * @param width of the image, which polygons need; -1 if it is not known. @param height likewise.
 */
export function maskOfJson(text: usize, end: usize, width: i32, height: i32): usize {
  store<u8>(end, 0);
  position = text;
  isUsual = true;
  return peek() === OPEN_BRACE ? maskOfCompressed(end) : maskOfPolygons(end, width, height);
}

function peek(): i32 {
  let byte = i32(load<u8>(position));
  while (byte === BLANK || byte === TAB || byte === NEWLINE || byte === RETURN) byte = i32(load<u8>(++position));
  return byte;
}

function takes(byte: i32): bool {
  if (peek() !== byte) return false;
  position++;
  return true;
}

function expect(byte: i32): void {
  if (!takes(byte)) isUsual = false;
}

/** Of { size: [height, width], counts: "..." }. */
function maskOfCompressed(end: usize): usize {
  let width = -1;
  let height = -1;
  let runs = -1;
  expect(OPEN_BRACE);
  do {
    expect(QUOTE);
    const name = load<u32>(position);
    if (name === SIZE && isEndOfName(4)) {
      expect(OPEN_BRACKET);
      height = side();
      expect(COMMA);
      width = side();
      expect(CLOSE_BRACKET);
    } else if (name === COUN && load<u8>(position, 4) === 0x74 && load<u8>(position, 5) === 0x73 && isEndOfName(6)) {
      expect(QUOTE);
      runs = readCounts(endsOf(top));
    } else return 0;
  } while (isUsual && takes(COMMA));
  expect(CLOSE_BRACE);
  const isWhole = isUsual && position === end && runs >= 0 && width >= 0;
  return isWhole && i64(width) * i64(height) <= MOST_PIXELS ? maskOfRuns(runs, width, height) : 0;
}

/** Passes over the rest of a name of so many bytes. */
function isEndOfName(bytes: usize): bool {
  position += bytes;
  expect(QUOTE);
  expect(COLON);
  return isUsual;
}

function side(): i32 {
  const value = number();
  if (!(value >= 0 && value <= f64(MOST_PIXELS) && value === trunc<f64>(value))) isUsual = false;
  return isUsual ? i32(value) : -1;
}

/** Reads lengths of runs up to a quote; their text form is explained in ts/masks/counts-string.ts. Returns how many they are. */
function readCounts(counts: usize): i32 {
  let runs = 0;
  while (load<u8>(position) !== QUOTE) {
    let value: i64 = 0;
    let bits: i64 = 0;
    let group = 32;
    while ((group & 32) !== 0) {
      let byte = i32(load<u8>(position++));
      // Of what is escaped only backslashes are usual.
      if (byte === BACKSLASH) byte = load<u8>(position++) === BACKSLASH ? byte : 0;
      group = byte - 48;
      if (group < 0 || group > 63 || bits === 35) isUsual = false;
      if (!isUsual) return -1;
      value |= i64(group & 31) << bits;
      bits += 5;
    }
    // The highest bit of 30 or fewer is the sign; of 35, that of the lower 32.
    const unused = 64 - min(bits, 32);
    value = (value << unused) >> unused;
    if (runs > 2) value += i64(integerAt(counts, runs - 2));
    if (value < 0 || value > MOST_PIXELS) isUsual = false;
    setInteger(counts, runs++, i32(value));
  }
  position++;
  return runs;
}

/** Of [[x, y, ...]]: one polygon. */
function maskOfPolygons(end: usize, width: i32, height: i32): usize {
  expect(OPEN_BRACKET);
  expect(OPEN_BRACKET);
  const points = reserve(0);
  let corners = 0;
  do {
    const point = reserve(POINT);
    store<i32>(point, coordinate());
    expect(COMMA);
    store<i32>(point, coordinate(), 4);
    corners++;
  } while (isUsual && takes(COMMA));
  expect(CLOSE_BRACKET);
  expect(CLOSE_BRACKET);
  if (!isUsual || position !== end || corners < 3 || width < 0) return 0;
  store<u64>(reserve(POINT), load<u64>(points));
  return maskOfPolygon(points, corners, width, height);
}

/** On the finer grid. */
function coordinate(): i32 {
  const value = number();
  const point = f64(SCALE) * value + 0.5;
  const isCertain = isExact || abs(point - nearest<f64>(point)) > TOLERANCE;
  if (!(abs(value) <= FARTHEST && isCertain)) isUsual = false;
  return isUsual ? i32(point) : 0;
}

/** Numbers without an exponent. */
function number(): f64 {
  const isNegative = takes(MINUS);
  const start = position;
  let value = readDigits(0);
  const digits = position - start;
  if (digits === 0 || (digits > 1 && load<u8>(start) === ZERO)) isUsual = false;
  let decimals: usize = 0;
  if (load<u8>(position) === POINT_CHARACTER) {
    position++;
    const first = position;
    value = readDigits(value);
    decimals = position - first;
    if (decimals === 0) isUsual = false;
  }
  if (digits + decimals > MOST_DIGITS) isUsual = false;
  if (!isUsual) return 0;
  isExact = value < INEXACT;
  const quotient = f64(value) / load<f64>(POWERS + (decimals << 3));
  return isNegative ? -quotient : quotient;
}

function readDigits(start: u64): u64 {
  let value = start;
  let digit = u32(load<u8>(position)) - ZERO;
  while (digit <= 9) {
    value = value * 10 + u64(digit);
    digit = u32(load<u8>(++position)) - ZERO;
  }
  return value;
}
