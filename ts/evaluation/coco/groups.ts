/** The images of one class that have ground truth, with the detections there: elsewhere nothing can match. */
import type { Grouped } from "./grouping.js";
import type { Ranked } from "./ranking.js";
import { ascending, pick, sortByKey, startsOf } from "./sorting.js";

/** D detections, best first, and G ground-truth annotations of one image, all of one class. */
export interface Group {
  /** Row numbers of the detections, from `dtStart` to before `dtEnd`. */
  readonly dtRows: Int32Array;
  readonly dtStart: number;
  readonly dtEnd: number;
  /** Places in `Ranked`, at the positions of `dtRows`. */
  readonly dtPlaces: Int32Array;
  /** Row numbers of the ground truth, from `gtStart` to before `gtEnd`. */
  readonly gtRows: Int32Array;
  readonly gtStart: number;
  readonly gtEnd: number;
}

/** @param gt grouped ground truth. @param imageCount how many are evaluated. */
export function groupsOfClass(gt: Grouped, k: number, ranked: Ranked, imageCount: number): Group[] {
  const gtRows = gt.rows.subarray(gt.classStarts[k], gt.classStarts[k + 1]);
  const groupOfImage = new Int32Array(imageCount).fill(-1);
  const gtStarts: number[] = [];
  gtRows.forEach((row, i) => {
    const image = gt.image[row] as number;
    if (groupOfImage[image] !== -1) return;
    groupOfImage[image] = gtStarts.length;
    gtStarts.push(i);
  });
  const places = ascending(ranked.rows.length);
  const groupOfPlace = pick(groupOfImage, ranked.images);
  const dtPlaces = sortByKey(places, groupOfPlace, gtStarts.length);
  const dtRows = pick(ranked.rows, dtPlaces);
  const dtStarts = startsOf(places, groupOfPlace, gtStarts.length);
  return gtStarts.map((gtStart, g) => ({
    dtRows,
    dtStart: dtStarts[g] as number,
    dtEnd: dtStarts[g + 1] as number,
    dtPlaces,
    gtRows,
    gtStart,
    gtEnd: gtStarts[g + 1] ?? gtRows.length,
  }));
}
