/** Pairs of a detection and a ground-truth annotation that share some area, of whatever class. */
import type { Ious } from "./boxes.js";
import { ascending, pick, sortByKey, startsOf } from "./sorting.js";

/** D detections, P pairs sorted by detection. Rows are those of the tables of `CocoMatches`. */
export interface Overlaps {
  /** (D + 1,). The pairs of detection d are those from entry d to entry d + 1. */
  readonly starts: Int32Array;
  /** (P,). Ascending within a detection. */
  readonly groundTruth: Int32Array;
  /** (P,). Above 0; a crowd counts only the detection's own area as the union. */
  readonly iou: Float64Array;
}

/** The annotations of one image. */
export interface ImagePairs {
  /** Rows of the tables, ascending. */
  readonly detections: Int32Array;
  readonly groundTruth: Int32Array;
  /** (D, G). */
  readonly ious: Float64Array;
}

interface Table {
  /** Position in the list that was evaluated. */
  readonly row: Int32Array;
  readonly image: Int32Array;
}

/** Image by image, those with detections and ground truth. @param images how many there are. */
export function* imagePairs(
  detections: Table,
  groundTruth: Table,
  images: number,
  iousOf: Ious,
): Generator<ImagePairs> {
  const dt = byImage(detections, images);
  const gt = byImage(groundTruth, images);
  for (let image = 0; image < images; image++) {
    const dtPlaces = dt(image);
    const gtPlaces = gt(image);
    if (dtPlaces.length === 0 || gtPlaces.length === 0) continue;
    const ious = new Float64Array(dtPlaces.length * gtPlaces.length);
    const dtRows = pick(detections.row, dtPlaces);
    const gtRows = pick(groundTruth.row, gtPlaces);
    iousOf({ dtRows, dtStart: 0, dtEnd: dtRows.length, gtRows, gtStart: 0, gtEnd: gtRows.length }, ious);
    yield { detections: dtPlaces, groundTruth: gtPlaces, ious };
  }
}

function byImage({ image: imageOf }: Table, images: number): (image: number) => Int32Array {
  const all = ascending(imageOf.length);
  const sorted = sortByKey(all, imageOf, images);
  const starts = startsOf(all, imageOf, images);
  return (image) => sorted.subarray(starts[image], starts[image + 1]);
}

export interface OverlapCollector {
  add(pairs: ImagePairs): void;
  /** All that were added. */
  overlaps(): Overlaps;
}

/** @param count of detections. */
export function collectOverlaps(count: number): OverlapCollector {
  const detection: number[] = [];
  const taken: number[] = [];
  const iou: number[] = [];
  return {
    add({ detections, groundTruth, ious }) {
      ious.forEach((value, pair) => {
        if (!(value > 0)) return;
        detection.push(detections[Math.floor(pair / groundTruth.length)] as number);
        taken.push(groundTruth[pair % groundTruth.length] as number);
        iou.push(value);
      });
    },
    overlaps() {
      const keys = Int32Array.from(detection);
      const pairs = sortByKey(ascending(keys.length), keys, count);
      return {
        starts: startsOf(pairs, keys, count),
        groundTruth: pick(Int32Array.from(taken), pairs),
        iou: Float64Array.from(pairs, (pair) => iou[pair] as number),
      };
    },
  };
}
