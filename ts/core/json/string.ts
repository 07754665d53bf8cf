/** JSON strings in a byte window. */
import { bytesOf } from "./byte-set.js";
import { type ByteWindow, faultAt, refill } from "./byte-window.js";

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const LETTER_U = 0x75;

/** 1 for the bytes that may follow a backslash, and for hexadecimal digits. */
const ESCAPES = bytesOf('"\\/bfnrtu');
const HEX_DIGITS = bytesOf("0123456789abcdefABCDEF");

/** Where the string at the window's position ends, after its closing quote. All of it is in the window then. */
export function stringEnd(window: ByteWindow): number {
  let end = scanString(window.bytes, window.position);
  while (-end === window.end && !window.isLast) {
    refill(window);
    end = scanString(window.bytes, window.position);
  }
  if (end < 0) throw faultAt(window, -end);
  return end;
}

/** Where a string ends, or minus the position of what cannot be in one. */
export function scanString(bytes: Uint8Array, start: number): number {
  for (let position = start + 1; ; position++) {
    const byte = bytes[position] as number;
    if (byte === QUOTE) return position + 1;
    if (byte < FIRST_PRINTABLE) return -position;
    if (byte !== BACKSLASH) continue;
    position++;
    if (ESCAPES[bytes[position] as number] === 0) return -position;
    if (bytes[position] !== LETTER_U) continue;
    const last = position + 4;
    while (position < last) if (HEX_DIGITS[bytes[++position] as number] === 0) return -position;
  }
}
