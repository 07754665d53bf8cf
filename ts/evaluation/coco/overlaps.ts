/** Pairs of a detection and a ground-truth annotation that share some area, of whatever class. */
import { sortStable, startsOf } from "./sorting.js";

/** D detections, P pairs sorted by detection. Rows are those of the tables of `CocoMatches`. */
export interface Overlaps {
  /** (D + 1,). The pairs of detection d are those from entry d to entry d + 1. */
  readonly starts: Int32Array;
  /** (P,). Ascending within a detection. */
  readonly groundTruth: Int32Array;
  /** (P,). Above 0; a crowd counts only the detection's own area as the union. */
  readonly iou: Float64Array;
}

/** IoU of every detection with every ground truth: (D, G). The arguments are positions in the lists that were evaluated. */
export type IouOf = (dtRows: Int32Array, gtRows: Int32Array) => Float64Array;

interface Rows {
  readonly row: Int32Array;
  readonly image: Int32Array;
}

export function findOverlaps(detections: Rows, groundTruth: Rows, images: number, iouOf: IouOf): Overlaps {
  const detection: number[] = [];
  const taken: number[] = [];
  const iou: number[] = [];
  const dtByImage = byImage(detections, images);
  const gtByImage = byImage(groundTruth, images);
  dtByImage.forEach((dtRows, image) => {
    const gtRows = gtByImage[image] as Int32Array;
    if (dtRows.length === 0 || gtRows.length === 0) return;
    const ious = iouOf(rowsAt(detections, dtRows), rowsAt(groundTruth, gtRows));
    ious.forEach((value, pair) => {
      if (!(value > 0)) return;
      detection.push(dtRows[Math.floor(pair / gtRows.length)] as number);
      taken.push(gtRows[pair % gtRows.length] as number);
      iou.push(value);
    });
  });
  const keys = Int32Array.from(detection);
  const pairs = sortStable(
    keys.map((_, pair) => pair),
    keys,
    detections.row.length,
  );
  return {
    starts: startsOf(pairs, keys, detections.row.length),
    groundTruth: pairs.map((pair) => taken[pair] as number),
    iou: Float64Array.from(pairs, (pair) => iou[pair] as number),
  };
}

function rowsAt({ row }: Rows, places: Int32Array): Int32Array {
  return places.map((place) => row[place] as number);
}

/** Row numbers of each image, ascending. */
function byImage({ image }: Rows, images: number): Int32Array[] {
  const all = image.map((_, row) => row);
  const sorted = sortStable(all, image, images);
  const starts = startsOf(all, image, images);
  return Array.from({ length: images }, (_, i) => sorted.subarray(starts[i], starts[i + 1]));
}
