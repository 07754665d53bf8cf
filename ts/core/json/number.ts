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
  if (!readUsualNumber(window, values, index)) values[index] = Number(takeNumber(window));
}

/** The same for numbers as they mostly are. False if something else is there, or the window ends: it is not passed over. */
export function readUsualNumber(window: ByteWindow, values: Float64Array, index: number): boolean {
  const { bytes, position } = window;
  const isNegative = bytes[position] === MINUS;
  if (!readDigits(window, isNegative ? position + 1 : position, values, index)) return false;
  if (isNegative) values[index] = -(values[index] as number);
  return true;
}

/** Reads up to nine digits, perhaps a point and more of them. */
function readDigits(window: ByteWindow, start: number, values: Float64Array, index: number): boolean {
  const { bytes } = window;
  let position = start;
  let digit = (bytes[position] as number) ^ ZERO;
  let whole = 0;
  for (; digit <= 9; digit = (bytes[++position] as number) ^ ZERO) whole = (Math.imul(whole, 10) + digit) | 0;
  const digits = position - start;
  if (digits !== 1 && (digits === 0 || digits > HALF_DIGITS || bytes[start] === ZERO)) return false;
  if (bytes[position] === POINT)
    return readFraction(window, position + 1, whole, whole === 0 ? 0 : digits, values, index);
  if (ENDS[bytes[position] as number] !== 1) return false;
  values[index] = whole;
  window.position = position;
  return true;
}

/** Goes on after the point. The number is (high * 10^(digits of low) + low) / 10^(digits after the point). */
function readFraction(
  window: ByteWindow,
  start: number,
  whole: number,
  digits: number,
  values: Float64Array,
  index: number,
): boolean {
  const { bytes } = window;
  const middle = start + HALF_DIGITS - digits;
  let position = start;
  let digit = (bytes[position] as number) ^ ZERO;
  // Without `| 0` V8 would not keep it in an integer register.
  let high = whole | 0;
  let low = 0;
  for (; digit <= 9 && position < middle; digit = (bytes[++position] as number) ^ ZERO)
    high = (Math.imul(high, 10) + digit) | 0;
  for (; digit <= 9; digit = (bytes[++position] as number) ^ ZERO) low = (Math.imul(low, 10) + digit) | 0;
  const lowDigits = Math.max(position - middle, 0);
  if (position === start || lowDigits > HALF_DIGITS || ENDS[bytes[position] as number] !== 1) return false;
  const upper = high * (POWERS[lowDigits] as number);
  const divisor = POWERS[position - start] as number;
  const isShort = upper + low < 2 ** 53;
  const value = isShort ? (upper + low) / divisor : longFraction(upper, low, divisor);
  if (Number.isNaN(value)) return false;
  values[index] = value;
  window.position = position;
  return true;
}

/** (high + low) / divisor, rounded once; NaN if it lies too close to the middle of two doubles to say. All are whole. */
function longFraction(high: number, low: number, divisor: number): number {
  const whole = high + low;
  const rest = low - (whole - high);
  const rounded = whole / divisor;
  const correction = (remainder(whole, rounded, divisor) + rest) / divisor;
  // The correction is right to 51 bits, so its true value lies between these.
  const least = rounded + correction * (1 - 2 ** -50);
  const most = rounded + correction * (1 + 2 ** -50);
  return least === most ? least : NaN;
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

/** Passes over a number, however long it is, and returns it as it stands there. */
function takeNumber(window: ByteWindow): string {
  let text = numberText(window);
  while (window.position + text.length === window.end && !window.isLast) {
    refill(window);
    text = numberText(window);
  }
  if (!NUMBER.test(text)) throw faultAt(window, window.position);
  window.position += text.length;
  return text;
}

function numberText({ bytes, position }: ByteWindow): string {
  let end = position;
  while (PARTS[bytes[end] as number] === 1) end++;
  return Buffer.from(bytes.buffer, position, end - position).toString("latin1");
}
