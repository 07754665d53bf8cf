/** Which detections are right: pycocotools' greedy matching for one class, at many area ranges and thresholds at once. */
import type { Ious } from "./boxes.js";
import type { Group } from "./groups.js";
import type { AreaRange } from "./options.js";
import type { Ranked } from "./ranking.js";
import { bitsReached, type ThresholdSet, type Word } from "./thresholds.js";

/** What matching knows of annotations, by their row numbers. */
export interface Evidence {
  readonly ious: Ious;
  /** Square px. */
  readonly dtArea: Float64Array;
  readonly gtArea: Float64Array;
  readonly gtId: Float64Array;
  readonly iscrowd: Float64Array;
  /** About what was compared. */
  readonly warnings: () => readonly string[];
}

/** The D detections of one class, and its groups. */
export interface ClassTask {
  readonly ranked: Ranked;
  readonly groups: readonly Group[];
  readonly evidence: Evidence;
  readonly areaRanges: readonly AreaRange[];
  /** Its W words hold a bit for each threshold and area range. */
  readonly thresholds: ThresholdSet;
}

/** What becomes of the detections of a class, in the order of `Ranked`. Arrays may be longer. */
export interface Outcomes {
  /** (D, W, 2). Bits of where a detection is right, and of where it is neither right nor wrong. */
  readonly bits: Int32Array;
  /** (A,). Ground truth to be found. */
  readonly positives: Int32Array;
}

/** A group while it is matched. The arrays are as long as the largest group of the class needs. */
interface Board {
  /** (D, G). */
  readonly ious: Float64Array;
  /** What a detection may take, as positions in the group: the highest IoU first, the later of equals first. */
  readonly candidates: Int32Array;
  /** (G,). Bits of the thresholds that the detection's IoU reaches. */
  readonly reached: Int32Array;
  /** (W, G). Bits of the ranges in which it is not to be found. */
  readonly ignored: Int32Array;
  /** (W, G). Bits of where it is taken. */
  readonly taken: Int32Array;
  /** (G,). No bits for crowds, which are never taken; else all. */
  readonly takeable: Int32Array;
  /** (G,). No bits if a match is none; else all. */
  readonly counted: Int32Array;
}

const ALL = -1;

/** Writes the outcomes of a class. */
export function matchClass(task: ClassTask, outcomes: Outcomes): void {
  markUnmatched(task, outcomes.bits);
  outcomes.positives.fill(0);
  const board = newBoard(task);
  for (const group of task.groups) {
    setUp(task, group, board);
    countPositives(task, group, outcomes.positives);
    matchGroup(task, group, board, outcomes.bits);
  }
}

/** A detection without a match is wrong, or ignored if it is not in the area range. */
function markUnmatched(task: ClassTask, bits: Int32Array): void {
  const { rows } = task.ranked;
  const { words } = task.thresholds;
  let at = 0;
  for (let place = 0; place < rows.length; place++) {
    const area = task.evidence.dtArea[rows[place] as number] as number;
    for (let w = 0; w < words.length; w++) {
      bits[at++] = 0;
      bits[at++] = bitsOutside(area, words[w] as Word, task);
    }
  }
}

/** Bits of the ranges that do not include an area. */
function bitsOutside(area: number, { firstRange, endRange }: Word, { areaRanges, thresholds }: ClassTask): number {
  let bits = 0;
  for (let a = endRange - 1; a >= firstRange; a--) {
    const ofRange = isOutside(area, areaRanges[a] as AreaRange) ? thresholds.allBits : 0;
    bits = (bits << thresholds.ious.length) | ofRange;
  }
  return bits;
}

function isOutside(area: number, { min, max }: AreaRange): boolean {
  return area < min || area > max;
}

function newBoard({ groups, thresholds }: ClassTask): Board {
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
    ignored: new Int32Array(thresholds.words.length * mostGt),
    taken: new Int32Array(thresholds.words.length * mostGt),
    takeable: new Int32Array(mostGt),
    counted: new Int32Array(mostGt),
  };
}

function setUp(task: ClassTask, { gtRows, gtStart, gtEnd }: Group, board: Board): void {
  const { words } = task.thresholds;
  const { gtId, gtArea, iscrowd } = task.evidence;
  const count = gtEnd - gtStart;
  for (let g = 0; g < count; g++) {
    const row = gtRows[gtStart + g] as number;
    const isCrowd = iscrowd[row] === 1;
    board.takeable[g] = isCrowd ? 0 : ALL;
    // pycocotools notes a match as the id of the box, so that the id 0 reads as no match.
    board.counted[g] = gtId[row] === 0 ? 0 : ALL;
    for (let w = 0; w < words.length; w++) {
      board.ignored[w * count + g] = isCrowd ? ALL : bitsOutside(gtArea[row] as number, words[w] as Word, task);
      board.taken[w * count + g] = 0;
    }
  }
}

function countPositives({ evidence, areaRanges }: ClassTask, group: Group, positives: Int32Array): void {
  for (let g = group.gtStart; g < group.gtEnd; g++) {
    const row = group.gtRows[g] as number;
    if (evidence.iscrowd[row] === 1) continue;
    for (let a = 0; a < areaRanges.length; a++) {
      const isWanted = !isOutside(evidence.gtArea[row] as number, areaRanges[a] as AreaRange);
      if (isWanted) positives[a] = (positives[a] as number) + 1;
    }
  }
}

/** The detections one after the other, best first. */
function matchGroup(task: ClassTask, group: Group, board: Board, outcomes: Int32Array): void {
  const { dtStart, dtEnd, dtPlaces } = group;
  const { words } = task.thresholds;
  task.evidence.ious(group, board.ious);
  for (let d = 0; d < dtEnd - dtStart; d++) {
    const found = findCandidates(task.thresholds, group, d, board);
    if (found === 0) continue;
    const first = (dtPlaces[dtStart + d] as number) * words.length;
    for (let w = 0; w < words.length; w++) {
      matchDetection(task.thresholds, w, group.gtEnd - group.gtStart, found, board, outcomes, 2 * (first + w));
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

/** Takes in each range and at each threshold the best candidate that is free; what is ignored only if there is no other. */
function matchDetection(
  { words, allBits }: ThresholdSet,
  w: number,
  count: number,
  found: number,
  { candidates, reached, ignored, taken, takeable, counted }: Board,
  outcomes: Int32Array,
  at: number,
): void {
  const { eachRange } = words[w] as Word;
  let open = allBits * eachRange;
  let right = 0;
  for (let i = 0; i < found; i++) {
    const g = candidates[i] as number;
    const cell = w * count + g;
    const bits = open & ((reached[g] as number) * eachRange) & ~((taken[cell] as number) | (ignored[cell] as number));
    open &= ~bits;
    taken[cell] = (taken[cell] as number) | bits;
    right |= bits & (counted[g] as number);
  }
  let outside = outcomes[at + 1] as number;
  for (let i = 0; i < found; i++) {
    const g = candidates[i] as number;
    const cell = w * count + g;
    const bits = open & ((reached[g] as number) * eachRange) & ~(taken[cell] as number) & (ignored[cell] as number);
    open &= ~bits;
    taken[cell] = (taken[cell] as number) | (bits & (takeable[g] as number));
    outside |= bits;
  }
  outcomes[at] = right;
  outcomes[at + 1] = outside & ~right;
}
