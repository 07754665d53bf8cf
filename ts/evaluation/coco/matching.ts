/** Which detections are right: pycocotools' greedy matching for one class, at all area ranges and many thresholds at once. */
import type { Ious } from "./boxes.js";
import type { Group } from "./groups.js";
import type { AreaRange } from "./options.js";
import type { Ranked } from "./ranking.js";
import { bitsReached, type ThresholdSet } from "./thresholds.js";

/** What matching knows of annotations, by their row numbers. */
export interface Evidence {
  readonly ious: Ious;
  /** Square px. */
  readonly dtArea: Float64Array;
  readonly gtArea: Float64Array;
  readonly gtId: Float64Array;
  readonly iscrowd: Float64Array;
}

/** The D detections of one class, and its groups. */
export interface ClassTask {
  readonly ranked: Ranked;
  readonly groups: readonly Group[];
  readonly evidence: Evidence;
  readonly areaRanges: readonly AreaRange[];
  readonly thresholds: ThresholdSet;
}

/** What becomes of the detections of a class, in the order of `Ranked`. Arrays may be longer. */
export interface Outcomes {
  /**
   * (D, A, 2). Bits of the thresholds at which a detection is right, and at which it is neither right nor wrong. All of a
   * detection stands together, since detections are matched image by image, which is not their order here.
   */
  readonly bits: Int32Array;
  /** (A,). Ground truth to be found. */
  readonly positives: Int32Array;
}

/** A group while it is matched. The arrays are as long as the largest group of the class needs. */
interface Board {
  /** (D, G). */
  readonly ious: Float64Array;
  /** (G,). What a detection may take, as positions in the group: the highest IoU first, the later of equals first. */
  readonly candidates: Int32Array;
  /** (G,). Bits of the thresholds that the detection's IoU reaches. */
  readonly reached: Int32Array;
  /** (A, G). 1: not to be found in this range. */
  readonly isIgnored: Uint8Array;
  /** (A, G). Bits at which it is taken. */
  readonly taken: Int32Array;
}

/** Writes the outcomes of a class. */
export function matchClass(task: ClassTask, outcomes: Outcomes): void {
  const { groups, areaRanges } = task;
  markUnmatched(task, outcomes);
  const board = newBoard(groups, areaRanges.length);
  for (const group of groups) {
    areaRanges.forEach((range, a) => {
      outcomes.positives[a] = (outcomes.positives[a] as number) + setUpRange(task, group, range, a, board);
    });
    if (group.dtEnd > group.dtStart) matchGroup(task, group, board, outcomes);
  }
}

/** A detection without a match is wrong, or ignored if it is not in the area range. */
function markUnmatched({ ranked, evidence, areaRanges, thresholds }: ClassTask, { bits, positives }: Outcomes): void {
  positives.fill(0);
  let at = 0;
  for (let place = 0; place < ranked.rows.length; place++) {
    const area = evidence.dtArea[ranked.rows[place] as number] as number;
    for (let a = 0; a < areaRanges.length; a++) {
      bits[at++] = 0;
      bits[at++] = isOutside(area, areaRanges[a] as AreaRange) ? thresholds.allBits : 0;
    }
  }
}

function isOutside(area: number, { min, max }: AreaRange): boolean {
  return area < min || area > max;
}

function newBoard(groups: readonly Group[], ranges: number): Board {
  let mostGt = 0;
  let mostPairs = 0;
  for (const { dtStart, dtEnd, gtStart, gtEnd } of groups) {
    mostGt = Math.max(mostGt, gtEnd - gtStart);
    mostPairs = Math.max(mostPairs, (gtEnd - gtStart) * (dtEnd - dtStart));
  }
  return {
    ious: new Float64Array(mostPairs),
    candidates: new Int32Array(mostGt),
    reached: new Int32Array(mostGt),
    isIgnored: new Uint8Array(ranges * mostGt),
    taken: new Int32Array(ranges * mostGt),
  };
}

/** Clears the board for a range. Returns how much of the group's ground truth is to be found there. */
function setUpRange({ evidence }: ClassTask, group: Group, range: AreaRange, a: number, board: Board): number {
  const { gtRows, gtStart, gtEnd } = group;
  const count = gtEnd - gtStart;
  let positives = 0;
  for (let g = 0; g < count; g++) {
    const row = gtRows[gtStart + g] as number;
    const isIgnored = evidence.iscrowd[row] === 1 || isOutside(evidence.gtArea[row] as number, range);
    board.isIgnored[a * count + g] = isIgnored ? 1 : 0;
    board.taken[a * count + g] = 0;
    if (!isIgnored) positives++;
  }
  return positives;
}

/** The detections one after the other, best first. */
function matchGroup(task: ClassTask, group: Group, board: Board, outcomes: Outcomes): void {
  const { dtStart, dtEnd, dtPlaces } = group;
  task.evidence.ious(group, board.ious);
  for (let d = 0; d < dtEnd - dtStart; d++) {
    const found = findCandidates(task.thresholds, group, d, board);
    if (found === 0) continue;
    const first = 2 * task.areaRanges.length * (dtPlaces[dtStart + d] as number);
    for (let a = 0; a < task.areaRanges.length; a++) {
      matchDetection(task, group, found, board, a, outcomes.bits, first + 2 * a);
    }
  }
}

/** Fills in `candidates` and `reached`; returns how many there are. */
function findCandidates(thresholds: ThresholdSet, { gtStart, gtEnd }: Group, d: number, board: Board): number {
  const { ious, candidates, reached } = board;
  const lowest = thresholds.ious[0] as number;
  const count = gtEnd - gtStart;
  const offset = d * count;
  let found = 0;
  for (let g = 0; g < count; g++) {
    const iou = ious[offset + g] as number;
    if (iou < lowest) continue;
    reached[g] = bitsReached(iou, thresholds);
    let i = found++;
    for (; i > 0 && (ious[offset + (candidates[i - 1] as number)] as number) <= iou; i--) {
      candidates[i] = candidates[i - 1] as number;
    }
    candidates[i] = g;
  }
  return found;
}

/** Takes at each threshold the best candidate that is free; one that is ignored only if there is no other. */
function matchDetection(
  { evidence, thresholds }: ClassTask,
  { gtRows, gtStart, gtEnd }: Group,
  found: number,
  { candidates, reached, isIgnored, taken }: Board,
  a: number,
  outcomes: Int32Array,
  at: number,
): void {
  const offset = a * (gtEnd - gtStart);
  let open = thresholds.allBits;
  let right = 0;
  let ignored = outcomes[at + 1] as number;
  for (let ignore = 0; ignore <= 1; ignore++) {
    for (let i = 0; i < found; i++) {
      const g = candidates[i] as number;
      if (isIgnored[offset + g] !== ignore) continue;
      const row = gtRows[gtStart + g] as number;
      const bits = open & (reached[g] as number) & ~(taken[offset + g] as number);
      open &= ~bits;
      if (evidence.iscrowd[row] === 0) taken[offset + g] = (taken[offset + g] as number) | bits;
      if (ignore === 1) ignored |= bits;
      // pycocotools notes a match as the id of the box, so that the id 0 reads as no match.
      else if (evidence.gtId[row] !== 0) right |= bits;
    }
  }
  outcomes[at] = right;
  outcomes[at + 1] = ignored & ~right;
}
