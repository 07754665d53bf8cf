/** Matches detections image by image. */
import { bitsOutside, type Grid, isOutside, type Word } from "./grid.js";
import type { Group } from "./group.js";
import type { ByImage } from "./grouping.js";
import { type Evidence, type Known, matchGroup, newBoard } from "./matching.js";
import type { Axes } from "./options.js";
import { newOutcomes, type Outcomes } from "./outcomes.js";
import { sortByScore } from "./sorting.js";
import { newSplit, type Split, splitByClass } from "./splitting.js";

export function matchImages(gt: ByImage, dt: ByImage, evidence: Evidence, axes: Axes, grid: Grid): Outcomes {
  const classCount = axes.categoryIds.length;
  const outcomes = newOutcomes(dt, classCount, grid);
  countPositives(gt, evidence.gt, grid, outcomes.positives);
  const gtSplit = newSplit(classCount, largest(gt.starts));
  const dtSplit = newSplit(classCount, largest(dt.starts));
  const board = newBoard(grid, largest(gt.starts));
  for (let image = 0; image + 1 < dt.starts.length; image++) {
    splitByClass(gtSplit, gt, image);
    splitByClass(dtSplit, dt, image);
    for (const k of dtSplit.classes) {
      const place = outcomes.ends[k] as number;
      const count = addBest(dtSplit, k, evidence, axes, grid, outcomes);
      if (gtSplit.ends[k] === gtSplit.starts[k]) continue;
      matchGroup(groupOf(dtSplit, count, gtSplit, k), place, evidence, grid, board, outcomes);
    }
  }
  return outcomes;
}

function groupOf(dt: Split, count: number, gt: Split, k: number): Group {
  const dtStart = dt.starts[k] as number;
  const gtStart = gt.starts[k] as number;
  return { dtRows: dt.rows, dtStart, dtEnd: dtStart + count, gtRows: gt.rows, gtStart, gtEnd: gt.ends[k] as number };
}

/** How many the largest run has. */
function largest(starts: Int32Array): number {
  return starts.reduce((most, start, run) => Math.max(most, (starts[run + 1] ?? start) - start), 0);
}

/** Per class and area range. */
function countPositives({ rows, classes }: ByImage, known: Known, grid: Grid, positives: Int32Array): void {
  const ranges = grid.areaRanges.length;
  for (const row of rows) {
    const first = (classes[row] as number) * ranges;
    for (let a = 0; a < ranges && known.iscrowd[row] === 0; a++) {
      if (!isOutside(known.area[row] as number, a, grid)) positives[first + a] = (positives[first + a] as number) + 1;
    }
  }
}

/** Adds the best detections of an image and class, each as if it had no match. Sorts them, and returns how many they are. */
function addBest(
  { rows, starts, ends }: Split,
  k: number,
  { dtScore, dtArea }: Evidence,
  { maxDets }: Axes,
  grid: Grid,
  { ends: next, scores, states, stride }: Outcomes,
): number {
  const start = starts[k] as number;
  sortBestFirst(rows, start, ends[k] as number, dtScore);
  const count = Math.min((ends[k] as number) - start, maxDets.at(-1) as number);
  let limit = 0;
  for (let rank = 0; rank < count; rank++) {
    const row = rows[start + rank] as number;
    const place = (next[k] as number) + rank;
    while (rank >= (maxDets[limit] as number)) limit++;
    scores[place] = dtScore[row] as number;
    states[place * stride] = limit;
    // Without a match it is ignored where its area is out of range.
    for (let w = 0; w < grid.words.length; w++) {
      states[place * stride + 2 + 2 * w] = bitsOutside(dtArea[row] as number, grid.words[w] as Word, grid);
    }
  }
  next[k] = (next[k] as number) + count;
  return count;
}

/** Insertion is faster for the few rows that an image mostly has of a class. */
const MOST_INSERTED = 200;

function sortBestFirst(rows: Int32Array, start: number, end: number, scores: Float64Array): void {
  if (end - start > MOST_INSERTED) {
    rows.set(sortByScore(rows.subarray(start, end), scores), start);
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const row = rows[i] as number;
    const score = scores[row] as number;
    let place = i;
    for (; place > start && (scores[rows[place - 1] as number] as number) < score; place--) {
      rows[place] = rows[place - 1] as number;
    }
    rows[place] = row;
  }
}
