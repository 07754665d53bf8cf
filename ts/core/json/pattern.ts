/**
 * The objects of a list are mostly written alike: the same members in the same order, with the same blanks. So what stands
 * between the values of one is looked for in the next, which is faster than to look for each token.
 */
import type { ByteWindow } from "./byte-window.js";
import { readNumberAhead } from "./number.js";
import { QUOTE, scanString } from "./string.js";

/** How an object was written. */
export interface Pattern {
  readonly values: readonly PatternValue[];
  /** What stands after the last value. */
  readonly end: Text;
}

/** Is looked for four bytes at a time, the last ones with a mask for those that belong to it. */
interface Text {
  readonly length: number;
  readonly words: Int32Array;
  readonly masks: Int32Array;
}

interface PatternValue {
  /** What stands before it, after the value before. */
  readonly before: Text;
  readonly target: Target | undefined;
}

/** Where a number goes, for one row after the other. */
export interface Target {
  /** Into a list of columns. */
  readonly column: number;
  /** Numbers a row. */
  readonly width: number;
  /** Which of them. */
  readonly element: number;
}

/** A number or a string in a window. */
export interface Span {
  readonly start: number;
  readonly end: number;
  /** Undefined if it is passed over. */
  readonly target: Target | undefined;
}

/** Takes the numbers that are passed over. */
const unread = new Float64Array(1);

/** @param start where the object starts in the window. @param spans its values, up to the window's position. */
export function patternOf({ bytes, position }: ByteWindow, start: number, spans: readonly Span[]): Pattern {
  const values = spans.map((span, i) => ({
    before: textOf(bytes.slice(spans[i - 1]?.end ?? start, span.start)),
    target: span.target,
  }));
  return { values, end: textOf(bytes.slice(spans.at(-1)?.end ?? start, position)) };
}

function textOf(bytes: Uint8Array): Text {
  const padded = Buffer.alloc(4 * Math.ceil(bytes.length / 4));
  const masks = Buffer.alloc(padded.length);
  padded.set(bytes);
  masks.fill(0xff, 0, bytes.length);
  const wordsOf = (buffer: Buffer): Int32Array =>
    Int32Array.from({ length: buffer.length / 4 }, (_, w) => buffer.readInt32BE(4 * w));
  return { length: bytes.length, words: wordsOf(padded), masks: wordsOf(masks) };
}

/** Reads an object that is written alike. False if it is not, or is cut off by the window: it is not passed over. */
export function readAlike(
  window: ByteWindow,
  pattern: Pattern,
  columns: readonly Float64Array[],
  row: number,
): boolean {
  const start = window.position;
  if (readValues(window, pattern, columns, row) && pass(window, pattern.end)) return true;
  window.position = start;
  return false;
}

function readValues(window: ByteWindow, { values }: Pattern, columns: readonly Float64Array[], row: number): boolean {
  for (let n = 0; n < values.length; n++) {
    const { before, target } = values[n] as PatternValue;
    if (!pass(window, before)) return false;
    const isRead = target === undefined ? passValue(window) : readTarget(window, target, columns, row);
    if (!isRead) return false;
  }
  return true;
}

function readTarget(window: ByteWindow, target: Target, columns: readonly Float64Array[], row: number): boolean {
  return readNumberAhead(window, columns[target.column] as Float64Array, target.width * row + target.element);
}

function passValue(window: ByteWindow): boolean {
  const { bytes, position } = window;
  if (bytes[position] !== QUOTE) return readNumberAhead(window, unread, 0);
  const end = scanString(bytes, position);
  if (end > 0) window.position = end;
  return end > 0;
}

function pass(window: ByteWindow, { length, words, masks }: Text): boolean {
  const { view, position, end } = window;
  if (position + length > end) return false;
  for (let w = 0; w < words.length; w++) {
    if ((view.getInt32(position + 4 * w) & (masks[w] as number)) !== words[w]) return false;
  }
  window.position = position + length;
  return true;
}
