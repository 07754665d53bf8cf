/** D detections, best first, and G ground-truth annotations of one image and class. */
export interface Group {
  /** Row numbers of the detections, from `dtStart` to before `dtEnd`. */
  readonly dtRows: Int32Array;
  readonly dtStart: number;
  readonly dtEnd: number;
  /** Row numbers of the ground truth, from `gtStart` to before `gtEnd`. */
  readonly gtRows: Int32Array;
  readonly gtStart: number;
  readonly gtEnd: number;
}
