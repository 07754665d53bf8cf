/**
 * Groups pictures of one series: bursts, video frames, copies. Series are held as leaders: of each picture the place of another
 * of its series, which leads to the first one.
 */
import { naturalOrder, type PackedNames } from "./natural-order.js";
import { forEachNearPair } from "./near-pairs.js";
import { hammingDistance, hashesOfWindow, WINDOWS, WORDS_PER_HASH, WORDS_PER_PICTURE } from "./picture-hash.js";

/** Pictures whose hashes differ in no more bits are of one series wherever they are. */
const MAX_DISTANCE = 5;

/** Of neighbours by name, where more than chance speaks for it, any windows may differ by this much. */
const MAX_NEIGHBOUR_DISTANCE = 16;

/** How far apart neighbours by name may be: the picture between two of a series may have been sorted out. */
const NEIGHBOURS = 2;

/**
 * Series of pictures that are alike.
 * @param pictures (32 * P) hashes of all windows of each picture.
 * @param positions (N) the pictures to group.
 * @param mask FLIP_MASK for what is alike if one is mirrored, otherwise 0.
 * @returns (N) leaders.
 */
export function seriesByPicture(pictures: Uint32Array, positions: Uint32Array, mask: number): Uint32Array {
  const leaders = Uint32Array.from(positions.keys());
  const hashes = hashesOfWindow(pictures, positions, 0);
  forEachNearPair(hashes, MAX_DISTANCE, mask, (first, second) => unite(leaders, first, second));
  return leaders;
}

/**
 * Series of pictures that are somewhat alike and next to each other by name.
 * @param names (N) paths.
 * @returns (N) leaders.
 */
export function seriesByName(pictures: Uint32Array, positions: Uint32Array, names: PackedNames): Uint32Array {
  const leaders = Uint32Array.from(positions.keys());
  const order = naturalOrder(names);
  for (let rank = 0; rank < order.length; rank++) {
    const first = order[rank] as number;
    for (const second of order.subarray(rank + 1, rank + 1 + NEIGHBOURS)) {
      const distance = windowDistance(pictures, positions[first] as number, positions[second] as number);
      if (distance <= MAX_NEIGHBOUR_DISTANCE) unite(leaders, first, second);
    }
  }
  return leaders;
}

/**
 * Pictures that are of one series by any of the leaders.
 * @returns (N) for each picture the place of the first one of its series.
 */
export function mergeSeries([leaders = new Uint32Array(), ...others]: readonly Uint32Array[]): Uint32Array {
  const merged = Uint32Array.from(leaders);
  for (const other of others) {
    for (const [place, leader] of other.entries()) unite(merged, place, leader);
  }
  return merged.map((_, place) => leaderOf(merged, place));
}

/** The least distance between one picture and any window of the other. Pictures without a hash are near to none. */
function windowDistance(pictures: Uint32Array, first: number, second: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let window = 0; window < WINDOWS.length; window++) {
    const ofSecond = hashDistance(pictures, wordOf(first, 0), wordOf(second, window));
    const ofFirst = hashDistance(pictures, wordOf(first, window), wordOf(second, 0));
    least = Math.min(least, ofSecond, ofFirst);
  }
  return least;
}

function wordOf(picture: number, window: number): number {
  return picture * WORDS_PER_PICTURE + window * WORDS_PER_HASH;
}

function hashDistance(pictures: Uint32Array, a: number, b: number): number {
  const [lowA, highA] = [pictures[a] as number, pictures[a + 1] as number];
  const [lowB, highB] = [pictures[b] as number, pictures[b + 1] as number];
  // The first bit of a hash is set.
  if (lowA === 0 || lowB === 0) return Number.POSITIVE_INFINITY;
  return hammingDistance(lowA, highA, lowB, highB);
}

/** Union-find, with the lower place as the leader. */
function unite(leaders: Uint32Array, a: number, b: number): void {
  const leaderOfA = leaderOf(leaders, a);
  const leaderOfB = leaderOf(leaders, b);
  leaders[Math.max(leaderOfA, leaderOfB)] = Math.min(leaderOfA, leaderOfB);
}

function leaderOf(leaders: Uint32Array, place: number): number {
  let leader = place;
  while (leaders[leader] !== leader) {
    // Halves the way for the next one who asks.
    leaders[leader] = leaders[leaders[leader] as number] as number;
    leader = leaders[leader] as number;
  }
  return leader;
}
