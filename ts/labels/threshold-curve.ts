/** What a score threshold gives on images whose objects are known. */

/** The detections of I images, as they would become pseudo labels if no score were too low. */
export interface JudgedDetections {
  /** (D,) in [0, 1], the best first. */
  readonly score: Float64Array;
  /** (D,) 1 where the detection finds an object that no better one has found, else 0. */
  readonly isRight: Uint8Array;
  /** (D,) 0..I-1. */
  readonly image: Int32Array;
  /** (I,) objects to be found. */
  readonly objectsPerImage: Int32Array;
}

/** What keeping the detections of a score or above gives. */
export interface ThresholdPoint {
  readonly score: number;
  /** Detections kept, and how many of them are right. */
  readonly kept: number;
  readonly found: number;
  /** found / kept; 1 if none is kept, as none is wrong. */
  readonly precision: number;
  /** found / objects; 0 if there are none. */
  readonly recall: number;
  /** The harmonic mean of both, recall beta times as important. */
  readonly f_beta: number;
}

/** The points at all distinct scores, the highest first. @param weights how often each image counts. Default: once. */
export function thresholdPoints(judged: JudgedDetections, beta: number, weights?: Int32Array): ThresholdPoint[] {
  const objects = countObjects(judged, weights);
  const points: ThresholdPoint[] = [];
  scanThresholds(judged, weights, (score, kept, found) => points.push(pointOf(score, kept, found, objects, beta)));
  return points;
}

/** Objects to be found in all images together. */
export function countObjects({ objectsPerImage }: JudgedDetections, weights?: Int32Array): number {
  return objectsPerImage.reduce((sum, count, image) => sum + count * (weights?.[image] ?? 1), 0);
}

/** Visits all distinct scores, the highest first, with how many detections of this score or above there are and are right. */
export function scanThresholds(
  { score, isRight, image }: JudgedDetections,
  weights: Int32Array | undefined,
  visit: (score: number, kept: number, found: number) => void,
): void {
  let [kept, found, keptBefore] = [0, 0, 0];
  for (let place = 0; place < score.length; place++) {
    const weight = weights === undefined ? 1 : (weights[image[place] as number] as number);
    kept += weight;
    if (isRight[place] === 1) found += weight;
    // A threshold keeps all detections of its score or none.
    if (score[place + 1] === score[place] || kept === keptBefore) continue;
    visit(score[place] as number, kept, found);
    keptBefore = kept;
  }
}

/** What a threshold between the points gives, that is, what the lowest point that it keeps gives. */
export function pointAt(
  points: readonly ThresholdPoint[],
  score: number,
  { objects, beta }: { readonly objects: number; readonly beta: number },
): ThresholdPoint {
  const kept = points.findLast((point) => point.score >= score);
  return { ...(kept ?? pointOf(score, 0, 0, objects, beta)), score };
}

/** At most `count` of the points, evenly spread, with both ends. */
export function thinPoints(points: readonly ThresholdPoint[], count: number): ThresholdPoint[] {
  if (points.length <= count) return [...points];
  const step = (points.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, at) => points[Math.round(at * step)] as ThresholdPoint);
}

function pointOf(score: number, kept: number, found: number, objects: number, beta: number): ThresholdPoint {
  return {
    score,
    kept,
    found,
    precision: kept === 0 ? 1 : found / kept,
    recall: objects === 0 ? 0 : found / objects,
    f_beta: fBeta(kept, found, objects, beta),
  };
}

/** (1 + beta^2) found / (kept + beta^2 objects); 0 without both. Van Rijsbergen, Information Retrieval, 1979. */
export function fBeta(kept: number, found: number, objects: number, beta: number): number {
  const due = kept + beta ** 2 * objects;
  return due === 0 ? 0 : ((1 + beta ** 2) * found) / due;
}
