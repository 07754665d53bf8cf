/** JSON numbers to doubles, rounded correctly as JSON.parse does it, without making a string of each. */
import { bytesOf } from "./byte-set.js";
import { type ByteWindow, faultAt, refill } from "./byte-window.js";

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

/** All powers of ten that are doubles. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** As many digits fit in an int32. */
const HALF_DIGITS = 9;

/** 1 for the bytes that may follow a number, and for those of which numbers are made. */
const ENDS = bytesOf(",]} \n\r\t");
const PARTS = bytesOf("0123456789+-.eE");

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

export function isNumberStart(byte: number): boolean {
  return byte === MINUS || isDigit(byte);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

/** Reads the number at the window's position to `values[index]`, which is cheaper than to return it. */
export function readNumber(window: ByteWindow, values: Float64Array, index: number): void {
  while (!readNumberAhead(window, values, index)) {
    const isCut = window.position + numberText(window).length === window.end;
    if (!isCut) throw faultAt(window, window.position);
    if (window.isLast) throw faultAt(window, window.end);
    refill(window);
  }
}

/** The same if all of a number is in the window. If not, nothing is passed over. */
export function readNumberAhead(window: ByteWindow, values: Float64Array, index: number): boolean {
  return readUsualNumber(window, values, index) || readUnusualNumber(window, values, index);
}

/**
 * Numbers as they mostly are: up to nine digits, perhaps a point and more digits, 18 in all. One long function, since calls
 * would cost as much as the rest.
 */
function readUsualNumber(window: ByteWindow, values: Float64Array, index: number): boolean {
  const { bytes, position: start } = window;
  if (bytes[start] === MINUS) return readNegative(window, values, index);
  let position = start;
  let digit = (bytes[position] as number) ^ ZERO;
  let high = 0;
  for (; digit <= 9; digit = (bytes[++position] as number) ^ ZERO) high = (Math.imul(high, 10) + digit) | 0;
  const digits = position - start;
  if (digits !== 1 && (digits === 0 || digits > HALF_DIGITS || bytes[start] === ZERO)) return false;
  if (bytes[position] !== POINT) {
    if (ENDS[bytes[position] as number] !== 1) return false;
    values[index] = high;
    window.position = position;
    return true;
  }
  const first = ++position;
  const middle = first + HALF_DIGITS - (high === 0 ? 0 : digits);
  let low = 0;
  digit = (bytes[position] as number) ^ ZERO;
  for (; digit <= 9 && position < middle; digit = (bytes[++position] as number) ^ ZERO)
    high = (Math.imul(high, 10) + digit) | 0;
  for (; digit <= 9; digit = (bytes[++position] as number) ^ ZERO) low = (Math.imul(low, 10) + digit) | 0;
  const lowDigits = Math.max(position - middle, 0);
  if (position === first || lowDigits > HALF_DIGITS || ENDS[bytes[position] as number] !== 1) return false;
  const upper = high * (POWERS[lowDigits] as number);
  const divisor = POWERS[position - first] as number;
  // Both are exact below 2^53, so that dividing rounds once.
  if (upper + low < 2 ** 53) values[index] = (upper + low) / divisor;
  else values[index] = longFraction(upper, low, divisor);
  window.position = position;
  return true;
}

function readNegative(window: ByteWindow, values: Float64Array, index: number): boolean {
  if (window.bytes[window.position + 1] === MINUS) return false;
  window.position++;
  const isRead = readUsualNumber(window, values, index);
  if (isRead) values[index] = -(values[index] as number);
  else window.position--;
  return isRead;
}

/**
 * (high + low) / divisor, rounded once, for more digits than a double holds. The correction is right to 51 bits, which is
 * enough: with 18 decimals, no number is nearer to the middle of two doubles than 2^-43 of their distance.
 */
function longFraction(high: number, low: number, divisor: number): number {
  const whole = high + low;
  const rest = low - (whole - high);
  const rounded = whole / divisor;
  return rounded + (remainder(whole, rounded, divisor) + rest) / divisor;
}

/** Exactly dividend - quotient * divisor, with the product from halves (Dekker). */
function remainder(dividend: number, quotient: number, divisor: number): number {
  const product = quotient * divisor;
  const quotientHigh = upperHalf(quotient);
  const quotientLow = quotient - quotientHigh;
  const divisorHigh = upperHalf(divisor);
  const divisorLow = divisor - divisorHigh;
  const missing = product - quotientHigh * divisorHigh - quotientLow * divisorHigh - quotientHigh * divisorLow;
  return dividend - product - (quotientLow * divisorLow - missing);
}

/** The upper 26 bits (Veltkamp). */
function upperHalf(value: number): number {
  const scaled = value * (2 ** 27 + 1);
  return scaled - (scaled - value);
}

function readUnusualNumber(window: ByteWindow, values: Float64Array, index: number): boolean {
  const text = numberText(window);
  const end = window.position + text.length;
  if ((end === window.end && !window.isLast) || !NUMBER.test(text)) return false;
  values[index] = Number(text);
  window.position = end;
  return true;
}

function numberText({ bytes, position }: ByteWindow): string {
  let end = position;
  while (PARTS[bytes[end] as number] === 1) end++;
  return Buffer.from(bytes.buffer, position, end - position).toString("latin1");
}
