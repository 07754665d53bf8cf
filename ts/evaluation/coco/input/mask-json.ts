/** Masks from their JSON, without parsing it to objects where it is in a usual form. */

import type { ByteWindow } from "../../../core/json/byte-window.js";
import { isNumberStart, readNumber } from "../../../core/json/number.js";
import { BACKSLASH, QUOTE } from "../../../core/json/string.js";
import {
  another,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  enter,
  keyTable,
  OPEN_BRACE,
  OPEN_BRACKET,
  peek,
  readKey,
} from "../../../core/json/tokens.js";
import { readCounts } from "../../../masks/counts-string.js";
import { reusedMemory } from "../../../masks/memory.js";
import { union } from "../../../masks/merge.js";
import { type Outline, outlineOf, outlineOfRoom } from "../../../masks/outline.js";
import { fromPolygon } from "../../../masks/polygon.js";
import type { Rle } from "../../../masks/rle.js";
import type { RunRoom } from "../../../masks/run-room.js";
import { outlineOfSegmentation, type Segmentation } from "../../../masks/segmentation.js";

const members = keyTable(["size", "counts"]);
const SIZE = 0;
const COUNTS = 1;

const textMemory = reusedMemory((length) => new Uint8Array(length));
const numberMemory = reusedMemory((length) => new Float64Array(length));

/** The mask of the `segmentation` between the window's position and `end`, all of it in the window; see `Segmentations`. */
export function outlineOfJson(window: ByteWindow, end: number, width: number, height: number, room: RunRoom): Outline {
  const { bytes, position } = window;
  const outline =
    peek(window) === OPEN_BRACE
      ? outlineOfCompressed(window, end, room)
      : outlineOfPolygons(window, end, width, height);
  return outline ?? outlineOfSegmentation(parsed(bytes.subarray(position, end)), width, height, room);
}

/** The text itself where it is not JSON to JavaScript, as NaN is not: that is no mask either. */
function parsed(bytes: Uint8Array): Segmentation {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    return JSON.parse(text) as Segmentation;
  } catch {
    return text as unknown as Segmentation;
  }
}

/** Of { size: [height, width], counts: "..." }, which starts at the window's position; undefined for other objects. */
function outlineOfCompressed(window: ByteWindow, end: number, room: RunRoom): Outline | undefined {
  let [width, height] = [NaN, NaN];
  let runs = -1;
  for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
    const member = readKey(window, members);
    if (member === SIZE) {
      const numbers = numberMemory(end - window.position);
      if (readNumbers(window, numbers) !== 2) return undefined;
      height = numbers[0] as number;
      width = numbers[1] as number;
    } else {
      const text = textMemory(end - window.position);
      const length = member === COUNTS ? readText(window, text) : -1;
      if (length < 0) return undefined;
      runs = readCounts(text, length, room);
    }
  }
  return runs < 0 || Number.isNaN(width) ? undefined : outlineOfRoom(room, runs, width, height);
}

/** Of [[x, y, ...], ...]; undefined for anything else. */
function outlineOfPolygons(window: ByteWindow, end: number, width: number, height: number): Outline | undefined {
  if (peek(window) !== OPEN_BRACKET || Number.isNaN(width) || Number.isNaN(height)) return undefined;
  const masks: Rle[] = [];
  for (let more = enter(window, OPEN_BRACKET, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) {
    const numbers = numberMemory(end - window.position);
    const count = readNumbers(window, numbers);
    if (count < 0) return undefined;
    masks.push(fromPolygon(numbers.subarray(0, count), width, height));
  }
  return masks.length === 0 ? undefined : outlineOf(union(masks));
}

/** Reads a list of numbers. Returns how many they are, -1 for anything else. */
function readNumbers(window: ByteWindow, numbers: Float64Array): number {
  if (peek(window) !== OPEN_BRACKET) return -1;
  let count = 0;
  for (let more = enter(window, OPEN_BRACKET, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) {
    if (!isNumberStart(peek(window))) return -1;
    readNumber(window, numbers, count++);
  }
  return count;
}

/** Reads a text in which nothing but backslashes is escaped. Returns its length, -1 for anything else. */
function readText(window: ByteWindow, text: Uint8Array): number {
  if (peek(window) !== QUOTE) return -1;
  const { bytes } = window;
  let length = 0;
  let position = window.position + 1;
  for (let byte = bytes[position]; byte !== QUOTE; byte = bytes[++position]) {
    if (byte === BACKSLASH && bytes[++position] !== BACKSLASH) return -1;
    text[length++] = byte as number;
  }
  window.position = position + 1;
  return length;
}
