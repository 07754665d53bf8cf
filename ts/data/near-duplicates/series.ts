/** Groups pictures of one series: bursts, video frames, copies. */
import { buildHashIndex } from "./hash-index.js";
import {
  FLIP_MASK,
  hammingDistance,
  hashesOfWindow,
  WINDOWS,
  WORDS_PER_HASH,
  WORDS_PER_PICTURE,
} from "./picture-hash.js";

/** Pictures whose hashes differ in no more bits are of one series wherever they are. */
const MAX_DISTANCE = 6;

/** Of neighbours by name, where more than chance speaks for it, any windows may differ by this much. */
const MAX_NEIGHBOUR_DISTANCE = 16;

/** How far apart neighbours by name may be: the picture between two of a series may have been sorted out. */
const NEIGHBOURS = 2;

/** Digits of a time in nanoseconds, and one more. */
const LONGEST_NUMBER = 20;

/**
 * The series of each picture, named by the place of its first one.
 * @param pictures (32 * P) hashes of all windows of each picture.
 * @param positions (N) the pictures to group.
 * @param names (N) their paths.
 * @returns (N) places, 0..N-1.
 */
export function findSeries(pictures: Uint32Array, positions: Uint32Array, names: readonly string[]): Uint32Array {
  const leaders = Uint32Array.from(positions.keys());
  const index = buildHashIndex(hashesOfWindow(pictures, positions, 0), MAX_DISTANCE);
  for (const mask of [0, FLIP_MASK]) index.searchPairs(mask, (first, second) => unite(leaders, first, second));
  for (const [first, second] of neighboursByName(names)) {
    const distance = windowDistance(pictures, positions[first] as number, positions[second] as number);
    if (distance <= MAX_NEIGHBOUR_DISTANCE) unite(leaders, first, second);
  }
  return leaders.map((_, place) => leaderOf(leaders, place));
}

/** Pairs that are next to each other, or next but one, in the order of their names, with numbers in the order of their values. */
export function* neighboursByName(names: readonly string[]): Generator<[first: number, second: number]> {
  const keys = names.map((name) => name.replace(/\d+/g, (number) => number.padStart(LONGEST_NUMBER, "0")));
  const order = [...keys.keys()].sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
  for (const [place, position] of order.entries()) {
    for (const next of order.slice(place + 1, place + 1 + NEIGHBOURS)) yield [position, next];
  }
}

/** The least distance between one picture and any window of the other. Pictures without a hash are near to none. */
function windowDistance(pictures: Uint32Array, first: number, second: number): number {
  const word = (picture: number, window: number): number => picture * WORDS_PER_PICTURE + window * WORDS_PER_HASH;
  const distance = (a: number, b: number): number =>
    pictures[a] === 0 || pictures[b] === 0
      ? Number.POSITIVE_INFINITY
      : hammingDistance(
          pictures[a] as number,
          pictures[a + 1] as number,
          pictures[b] as number,
          pictures[b + 1] as number,
        );
  const distances = [...WINDOWS.keys()].flatMap((window) => [
    distance(word(first, window), word(second, 0)),
    distance(word(first, 0), word(second, window)),
  ]);
  return Math.min(...distances);
}

/** Union-find, with the lower position as the leader. */
function unite(leaders: Uint32Array, a: number, b: number): void {
  const leaderOfA = leaderOf(leaders, a);
  const leaderOfB = leaderOf(leaders, b);
  leaders[Math.max(leaderOfA, leaderOfB)] = Math.min(leaderOfA, leaderOfB);
}

function leaderOf(leaders: Uint32Array, position: number): number {
  let leader = position;
  while (leaders[leader] !== leader) {
    // Halves the path for the next one who asks.
    leaders[leader] = leaders[leaders[leader] as number] as number;
    leader = leaders[leader] as number;
  }
  return leader;
}
