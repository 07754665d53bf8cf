/** Masks of a file as the JSON that they are there: hardly anything they could be parsed to is smaller. */
import { CasslError } from "../../../core/errors.js";
import { type ByteWindow, openWindow } from "../json/byte-window.js";
import { keepValue } from "../json/tokens.js";
import { outlineOfJson } from "./mask-json.js";
import { noSegmentations, type Segmentations } from "./segmentations.js";

/** Grows row by row. */
export interface SegmentationBytes {
  bytes: Uint8Array;
  /** How many bytes are filled. */
  length: number;
  /** (rows, 2). Where the JSON of each row starts and ends; equal where there is none. */
  spans: Uint32Array;
}

/** Positions are 32-bit integers. */
const MOST_BYTES = 2 ** 32 - 1;

/** @param size at most about so many bytes will come; room that is not used costs nothing. */
export function newSegmentationBytes(size: number): SegmentationBytes {
  return { bytes: new Uint8Array(Math.min(size + 1, MOST_BYTES)), length: 0, spans: new Uint32Array(2 ** 10) };
}

/** Takes the value at the window's position. */
export function keepSegmentation(kept: SegmentationBytes, row: number, window: ByteWindow): void {
  const start = kept.length;
  keepValue(window, (piece) => append(kept, piece));
  if (2 * row + 2 > kept.spans.length) kept.spans = longer(kept.spans, new Uint32Array(4 * row + 4));
  kept.spans[2 * row] = start;
  kept.spans[2 * row + 1] = kept.length;
}

/** Leaves room for a byte that ends every token. */
function append(kept: SegmentationBytes, piece: Uint8Array): void {
  const length = kept.length + piece.length;
  if (length >= MOST_BYTES) throw tooMany();
  if (length >= kept.bytes.length) kept.bytes = longer(kept.bytes, new Uint8Array(Math.min(2 * length, MOST_BYTES)));
  kept.bytes.set(piece, kept.length);
  kept.length = length;
}

function tooMany(): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", "The file has more than 4 GiB of masks.", "Evaluate it in parts.");
}

function longer<T extends Uint8Array | Uint32Array>(values: T, room: T): T {
  room.set(values);
  return room;
}

/** Of a file that is read to its end. */
export function segmentationsInBytes({ bytes, length, spans }: SegmentationBytes): Segmentations {
  const window = openWindow({ name: "the masks", size: length, read: () => 0 }, 0);
  Object.assign(window, { bytes, end: length, isLast: true });
  return {
    has: (row) => (spans[2 * row + 1] ?? 0) > 0,
    outlineAt(row, width, height) {
      const end = spans[2 * row + 1] ?? 0;
      if (end === 0) return noSegmentations.outlineAt(row, width, height);
      window.position = spans[2 * row] as number;
      return outlineOfJson(window, end, width, height);
    },
  };
}
