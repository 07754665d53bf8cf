/** The precision-recall curve of the detections of one class, which may count several times each or not at all. */
import { EPSILON } from "../coco/accumulate.js";
import { IGNORED, TRUE_POSITIVE } from "../coco/match-tables.js";

/** Places of detections by descending score, ascending. All others are wrong. */
export interface Judgement {
  readonly right: Int32Array;
  readonly ignored: Int32Array;
}

/** How often the detections count: (D,) each. */
export interface Copies {
  readonly each: Int32Array;
  /** All up to each, and with it. */
  readonly upTo: Int32Array;
}

/** @param outcomes (D,) of IGNORED, TRUE_POSITIVE or FALSE_POSITIVE, by descending score. */
export function judge(outcomes: Uint8Array): Judgement {
  const places = Int32Array.from(outcomes.keys());
  const placesOf = (outcome: number) => places.filter((place) => outcomes[place] === outcome);
  return { right: placesOf(TRUE_POSITIVE), ignored: placesOf(IGNORED) };
}

export function copies(each: Int32Array): Copies {
  let sum = 0;
  return { each, upTo: each.map((count) => (sum += count)) };
}

/**
 * Writes the highest precision at each recall threshold or above; 0 beyond the last recall.
 * @param needed true positives that each threshold takes, ascending.
 */
export function samplePrecision(
  { right, ignored }: Judgement,
  { each, upTo }: Copies,
  needed: Int32Array,
  samples: Float64Array,
): void {
  let found = sumAt(right, each);
  let ignoredUpTo = sumAt(ignored, each);
  let highest = 0;
  let i = ignored.length - 1;
  let r = needed.length - 1;
  for (; r >= 0 && (needed[r] as number) > found; r--) samples[r] = 0;
  // From the last to the first, so that the highest precision from there on is known. It changes at right detections only.
  for (let n = right.length - 1; n >= 0 && r >= 0; n--) {
    const place = right[n] as number;
    for (; i >= 0 && (ignored[i] as number) > place; i--) ignoredUpTo -= each[ignored[i] as number] as number;
    highest = Math.max(highest, found / ((upTo[place] as number) - ignoredUpTo + EPSILON));
    found -= each[place] as number;
    for (; r >= 0 && (needed[r] as number) > found; r--) samples[r] = highest;
  }
  samples.fill(highest, 0, r + 1);
}

function sumAt(places: Int32Array, values: Int32Array): number {
  let sum = 0;
  for (const place of places) sum += values[place] as number;
  return sum;
}
