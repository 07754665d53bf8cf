/** The tokens of JSON, from a byte window. What JSON does not allow is a fault that names its byte. */
import { type ByteWindow, faultAt, handOut, refill } from "./byte-window.js";
import { isNumberStart, readNumber } from "./number.js";
import { BACKSLASH, QUOTE, stringEnd } from "./string.js";

export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;

/** As deep as values may be nested. */
const MAX_DEPTH = 500;

/** Python writes the last two, which JSON lacks. */
const literals: readonly (readonly [Uint8Array, boolean | number | null])[] = [
  [Buffer.from("true"), true],
  [Buffer.from("false"), false],
  [Buffer.from("null"), null],
  [Buffer.from("NaN"), NaN],
  [Buffer.from("Infinity"), Infinity],
];
const LONGEST_LITERAL = "Infinity".length;

/** Takes the numbers that are passed over. */
const unread = new Float64Array(1);

/** Goes to the next byte that is not blank and returns it; 0 at the end of the source. */
export function peek(window: ByteWindow): number {
  for (;;) {
    const byte = window.bytes[window.position] as number;
    if (byte > SPACE) return byte;
    if (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) window.position++;
    else if (window.position < window.end || window.isLast) return byte;
    else refill(window);
  }
}

function expect(window: ByteWindow, byte: number): void {
  if (peek(window) !== byte) throw faultAt(window, window.position);
  window.position++;
}

export function expectEnd(window: ByteWindow): void {
  peek(window);
  if (window.position < window.end) throw faultAt(window, window.position);
}

/** Enters a list or an object; whether it has anything in it. If not, it is left again. */
export function enter(window: ByteWindow, open: number, close: number): boolean {
  expect(window, open);
  if (peek(window) !== close) return true;
  window.position++;
  return false;
}

/** Goes on after an item or a member; whether another one follows. If not, the list or object is left. */
export function another(window: ByteWindow, close: number): boolean {
  const byte = peek(window);
  if (byte !== COMMA && byte !== close) throw faultAt(window, window.position);
  window.position++;
  return byte === COMMA;
}

/** Names of members that a reader looks for, as they stand in a file after their opening quote. */
export function keyTable(names: readonly string[]): readonly Uint8Array[] {
  return names.map((name) => Buffer.from(`${name}"`));
}

/** Reads a member's name and the colon. Returns which of the names it is, or -1. */
export function readKey(window: ByteWindow, names: readonly Uint8Array[]): number {
  if (peek(window) !== QUOTE) throw faultAt(window, window.position);
  let key = keyAhead(window, names);
  if (key >= 0) window.position += 1 + (names[key] as Uint8Array).length;
  else key = readUnusualKey(window, names);
  expect(window, COLON);
  return key;
}

/** Which of the names is all in the window, or -1. */
function keyAhead(window: ByteWindow, names: readonly Uint8Array[]): number {
  let key = names.length - 1;
  while (key >= 0 && !isAhead(window, 1, names[key] as Uint8Array)) key--;
  return key;
}

/** A name that is cut by the window's end, has escapes, or is none of those looked for. */
function readUnusualKey(window: ByteWindow, names: readonly Uint8Array[]): number {
  const end = stringEnd(window);
  const { bytes, position } = window;
  let key = keyAhead(window, names);
  if (key < 0 && bytes.subarray(position, end).includes(BACKSLASH)) {
    const name = Buffer.from(`${JSON.parse(asText(bytes.subarray(position, end))) as string}"`);
    key = names.findIndex((other) => name.equals(other));
  }
  window.position = end;
  return key;
}

/** Whether a text stands so many bytes ahead of the window's position. */
function isAhead({ bytes, position }: ByteWindow, ahead: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[position + ahead + i] !== text[i]) return false;
  return true;
}

/** True, false, null, NaN or Infinity. */
export function readLiteral(window: ByteWindow): boolean | number | null {
  while (window.end - window.position < LONGEST_LITERAL && !window.isLast) refill(window);
  for (const [text, value] of literals) {
    if (!isAhead(window, 0, text)) continue;
    window.position += text.length;
    return value;
  }
  const isCut = literals.some(([text]) => isAhead(window, 0, text.subarray(0, window.end - window.position)));
  throw faultAt(window, isCut ? window.end : window.position);
}

/** Passes over a value of any kind. */
export function skipValue(window: ByteWindow, depth = 0): void {
  const byte = peek(window);
  if (depth > MAX_DEPTH) throw faultAt(window, window.position);
  if (byte === QUOTE) window.position = stringEnd(window);
  else if (isNumberStart(byte)) readNumber(window, unread, 0);
  else if (byte === OPEN_BRACKET) {
    for (let more = enter(window, byte, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) {
      skipValue(window, depth + 1);
    }
  } else if (byte === OPEN_BRACE) {
    for (let more = enter(window, byte, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
      if (peek(window) !== QUOTE) throw faultAt(window, window.position);
      window.position = stringEnd(window);
      expect(window, COLON);
      skipValue(window, depth + 1);
    }
  } else readLiteral(window);
}

/** Passes over a value and hands out its bytes, in pieces where it is longer than the window. */
function keepValue(window: ByteWindow, keep: (bytes: Uint8Array) => void): void {
  peek(window);
  window.keep = keep;
  window.keptFrom = window.position;
  skipValue(window);
  handOut(window);
  window.keep = undefined;
}

/** Passes over a value and returns its JSON. */
export function takeText(window: ByteWindow): string {
  const pieces: Uint8Array[] = [];
  keepValue(window, (bytes) => pieces.push(bytes.slice()));
  return asText(Buffer.concat(pieces));
}

/** Reads a value of any kind. */
export function takeJson(window: ByteWindow): unknown {
  const text = takeText(window);
  try {
    return JSON.parse(text);
  } catch {
    throw faultAt(window, window.position);
  }
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
