/** Unions and intersections of masks, run by run. */
import { checkedRle, invalidMask, type Rle } from "./rle.js";

/** Pixels inside any of the masks. ANNOTATIONS_INVALID if there are none, sizes differ or runs do not fill the image. */
export function union(masks: readonly Rle[]): Rle {
  return merge(masks, (a, b) => a || b);
}

/** Pixels inside all of the masks. ANNOTATIONS_INVALID likewise. */
export function intersection(masks: readonly Rle[]): Rle {
  return merge(masks, (a, b) => a && b);
}

type Operation = (a: boolean, b: boolean) => boolean;

function merge(masks: readonly Rle[], isInside: Operation): Rle {
  const [first, ...others] = masks;
  if (first === undefined) throw invalidMask("There are no masks to merge.", "Give at least one.");
  return others.reduce((merged, mask) => mergeTwo(merged, checkedRle(mask), isInside), checkedRle(first));
}

/**
 * Keeps empty runs, as pycocotools does, so that the runs are equal too. Unlike it, goes on where both masks have an empty run
 * at the same pixel: what it gives there does not fill the image.
 */
function mergeTwo(a: Rle, b: Rle, isInside: Operation): Rle {
  const { width, height } = a;
  if (b.width !== width || b.height !== height) {
    throw invalidMask(
      `Masks of ${width}x${height} px and of ${b.width}x${b.height} px cannot be merged.`,
      "Give masks of one image.",
    );
  }
  const pixels = width * height;
  const counts = new Uint32Array(a.counts.length + b.counts.length);
  let runs = 0;
  let run = 0;
  let position = 0;
  let value = false;
  let [atA, atB] = [0, 0];
  let [leftA, leftB] = [a.counts[0] ?? 0, b.counts[0] ?? 0];
  for (let isLast = false; !isLast; ) {
    const step = Math.min(leftA, leftB);
    run += step;
    position += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0 && atA + 1 < a.counts.length) leftA = a.counts[++atA] as number;
    if (leftB === 0 && atB + 1 < b.counts.length) leftB = b.counts[++atB] as number;
    isLast = position === pixels && leftA === 0 && leftB === 0;
    const next = isInside(atA % 2 === 1, atB % 2 === 1);
    if (next === value && !isLast) continue;
    value = next;
    counts[runs++] = run;
    run = 0;
  }
  return { width, height, counts: counts.slice(0, runs) };
}
