/**
 * Goes from value to value through the objects of a list. They are mostly written alike, so what stood before the same value
 * of the last object is looked for first: brackets, commas, names and blanks at once.
 */
import type { ByteWindow } from "./byte-window.js";
import { another, CLOSE_BRACE, enter, isAhead, OPEN_BRACE, peek, readKey } from "./tokens.js";

export interface MemberReader {
  readonly names: readonly Uint8Array[];
  /** What stood before each value of the last object. */
  readonly gaps: Gap[];
}

interface Gap {
  readonly bytes: Uint8Array;
  /** Which of the names it holds, or -1. */
  readonly key: number;
}

/** There are no more members. */
export const END = -2;

/**
 * Goes to the value of the next member, and leaves the object after the last one.
 * @param n how many members came before.
 * @returns which of the names it has, -1 for any other, or END.
 */
export function nextMember(window: ByteWindow, reader: MemberReader, n: number): number {
  const { gaps } = reader;
  if (n < gaps.length) {
    const { bytes, key } = gaps[n] as Gap;
    if (isAhead(window, 0, bytes)) {
      window.position += bytes.length;
      return key;
    }
  }
  return readGap(window, reader, n);
}

function readGap(window: ByteWindow, { names, gaps }: MemberReader, n: number): number {
  const start = window.offset + window.position;
  const isAnother = n === 0 ? enter(window, OPEN_BRACE, CLOSE_BRACE) : another(window, CLOSE_BRACE);
  if (!isAnother) return END;
  const key = readKey(window, names);
  peek(window);
  const kept = start - window.offset;
  if (kept >= 0) gaps[n] = { bytes: window.bytes.slice(kept, window.position), key };
  return key;
}
