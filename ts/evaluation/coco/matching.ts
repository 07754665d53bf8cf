/** Which detections are right: pycocotools' greedy matching, in all words of a grid at once. */
import type { Ious } from "./boxes.js";
import { bitsOutside, bitsReached, type Grid, type Word } from "./grid.js";
import type { Group } from "./group.js";
import type { Outcomes } from "./outcomes.js";

/** What is known of annotations, by row number. */
export interface Evidence {
  readonly ious: Ious;
  readonly gt: Known;
  /** Square px. */
  readonly dtArea: Float64Array;
  readonly dtScore: Float64Array;
  /** 1: ignored where it is wrong, since its class is not annotated exhaustively in its image. */
  readonly dtUnverified?: Uint8Array;
  /** About what was compared. */
  readonly warnings: () => readonly string[];
}

export interface Known {
  /** Square px. */
  readonly area: Float64Array;
  readonly id: Float64Array;
  readonly iscrowd: Float64Array;
}

/** A group while it is matched. Made once, for one group after the other, with arrays as long as the largest needs. */
export interface Board {
  /** (D, G). */
  ious: Float64Array;
  /** What a detection may take, as positions in the group: the highest IoU first, the later of equals first. */
  readonly candidates: Int32Array;
  /** (G,). Bits of the thresholds that the detection's IoU reaches. */
  readonly reached: Int32Array;
  /** (W, G). Bits of where it is not to be found. */
  readonly ignored: Int32Array;
  /** (W, G). Bits of where it is taken. */
  readonly taken: Int32Array;
  /** (G,). No bits for crowds, which are never taken; else all. */
  readonly takeable: Int32Array;
  /** (G,). No bits if matching it does not count; else all. */
  readonly counted: Int32Array;
}

const ALL = -1;

/** @param most as much ground truth as a group has. */
export function newBoard({ words }: Grid, most: number): Board {
  return {
    ious: new Float64Array(0),
    candidates: new Int32Array(most),
    reached: new Int32Array(most),
    ignored: new Int32Array(words.length * most),
    taken: new Int32Array(words.length * most),
    takeable: new Int32Array(most),
    counted: new Int32Array(most),
  };
}

/** Writes what becomes of the detections of a group. @param place of the first of them in the outcomes. */
export function matchGroup(
  group: Group,
  place: number,
  evidence: Evidence,
  grid: Grid,
  board: Board,
  { states, stride }: Outcomes,
): void {
  const { dtStart, dtEnd, gtStart, gtEnd } = group;
  const pairs = (dtEnd - dtStart) * (gtEnd - gtStart);
  if (pairs > board.ious.length) board.ious = new Float64Array(2 * pairs);
  evidence.ious(group, board.ious);
  setUp(group, evidence.gt, grid, board);
  for (let d = 0; d < dtEnd - dtStart; d++) {
    const found = findCandidates(group, d, grid, board);
    if (found === 0) continue;
    const first = (place + d) * stride + 1;
    for (let w = 0; w < grid.words.length; w++) {
      matchDetection(grid, w, gtEnd - gtStart, found, board, states, first + 2 * w);
    }
  }
}

function setUp({ gtRows, gtStart, gtEnd }: Group, { area, id, iscrowd }: Known, grid: Grid, board: Board): void {
  const { words } = grid;
  const count = gtEnd - gtStart;
  for (let g = 0; g < count; g++) {
    const row = gtRows[gtStart + g] as number;
    const isCrowd = iscrowd[row] === 1;
    board.takeable[g] = isCrowd ? 0 : ALL;
    // pycocotools notes a match as the id of the box, so that the id 0 reads as no match.
    board.counted[g] = id[row] === 0 ? 0 : ALL;
    for (let w = 0; w < words.length; w++) {
      board.ignored[w * count + g] = isCrowd ? ALL : bitsOutside(area[row] as number, words[w] as Word, grid);
      board.taken[w * count + g] = 0;
    }
  }
}

/** Fills in `candidates` and `reached`; returns how many there are. */
function findCandidates({ gtStart, gtEnd }: Group, d: number, grid: Grid, board: Board): number {
  const { ious, candidates, reached } = board;
  const lowest = grid.ious[0] as number;
  const count = gtEnd - gtStart;
  const offset = d * count;
  let found = 0;
  for (let g = 0; g < count; g++) {
    const iou = ious[offset + g] as number;
    if (iou < lowest) continue;
    reached[g] = bitsReached(iou, grid);
    let i = found++;
    for (; i > 0 && (ious[offset + (candidates[i - 1] as number)] as number) <= iou; i--) {
      candidates[i] = candidates[i - 1] as number;
    }
    candidates[i] = g;
  }
  return found;
}

/**
 * Takes in each range and at each threshold the best candidate that is free; what is ignored only if there is no other.
 * @param at where the state has the bits of the word at `w`.
 */
function matchDetection(
  { words, allBits }: Grid,
  w: number,
  count: number,
  found: number,
  { candidates, reached, ignored, taken, takeable, counted }: Board,
  states: Int32Array,
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
  let outside = states[at + 1] as number;
  for (let i = 0; i < found; i++) {
    const g = candidates[i] as number;
    const cell = w * count + g;
    const bits = open & ((reached[g] as number) * eachRange) & ~(taken[cell] as number) & (ignored[cell] as number);
    open &= ~bits;
    taken[cell] = (taken[cell] as number) | (bits & (takeable[g] as number));
    outside |= bits;
  }
  states[at] = right;
  states[at + 1] = outside & ~right;
}
