/** Masks as they are in a file: hardly anything that they could be parsed to is smaller. */

import type { ByteWindow } from "../../../core/json/byte-window.js";
import { skipValue } from "../../../core/json/tokens.js";
import { maskOfJson } from "./mask-json.js";
import { noSegmentations, type Segmentations } from "./segmentations.js";

/** Grows row by row. */
export interface SegmentationBytes {
  /** Of the whole file. */
  readonly window: ByteWindow;
  /** (rows, 2). Where the JSON of each row starts and ends in the window; 0 where there is none. */
  spans: Uint32Array;
}

export function newSegmentationBytes(window: ByteWindow): SegmentationBytes {
  return { window, spans: new Uint32Array(2 ** 10) };
}

/** Passes over the value at the window's position. */
export function keepSegmentation(kept: SegmentationBytes, row: number): void {
  const { window } = kept;
  if (2 * row + 2 > kept.spans.length) {
    const spans = new Uint32Array(4 * row + 4);
    spans.set(kept.spans);
    kept.spans = spans;
  }
  kept.spans[2 * row] = window.position;
  skipValue(window);
  kept.spans[2 * row + 1] = window.position;
}

/** Of a file that is read to its end. */
export function segmentationsInBytes({ window, spans }: SegmentationBytes): Segmentations {
  return {
    has: (row) => (spans[2 * row + 1] ?? 0) > 0,
    maskAt(row, width, height) {
      const end = spans[2 * row + 1] ?? 0;
      if (end === 0) return noSegmentations.maskAt(row, width, height);
      return maskOfJson(window.bytes.subarray(spans[2 * row], end), width, height);
    },
  };
}
