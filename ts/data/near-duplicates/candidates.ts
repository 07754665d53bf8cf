/** Which pictures may be copies of which others, going by their hashes alone. */
import { forEachNearPairBetween } from "./near-pairs.js";
import { FLIP_MASK, hashesOfWindow, WINDOWS, WORDS_PER_HASH } from "./picture-hash.js";

/** A picture that may be a copy, and of what. Pictures are named by their position among all. */
export interface SuspectedCopy {
  readonly suspect: number;
  /** Nearest first. */
  readonly candidates: readonly CopyCandidate[];
}

export interface CopyCandidate {
  readonly original: number;
  /** In how many bits the hashes differ. */
  readonly distance: number;
  /** Which of the two may lack borders that the other has. */
  readonly cropped: "suspect" | "original";
  /** Which part of the other it shows, roughly: an index into WINDOWS. */
  readonly window: number;
  /** Whether one shows the other with left and right exchanged. */
  readonly mirrored: boolean;
}

/** At 10 bits, 98 of 100 copies that lack a tenth at all four borders are candidates. */
const MAX_DISTANCE = 10;

/** Where many pictures look alike, only the nearest are worth a closer look. */
const MOST_CANDIDATES = 4;

/**
 * The suspects that may be copies, each with its nearest originals, if only one of a pair may have lost borders.
 * @param pictures (32 * N) hashes of all windows of each picture.
 * @param suspects,originals positions.
 * @param cropped which one. Pairs that are whole are found with the suspects.
 */
export function findCopyCandidates(
  pictures: Uint32Array,
  suspects: Uint32Array,
  originals: Uint32Array,
  cropped: CopyCandidate["cropped"],
): SuspectedCopy[] {
  const nearest = new Map<number, CopyCandidate[]>();
  const search = (few: Uint32Array, many: Uint32Array, windowAt: (place: number) => number): void =>
    forEachNearPairBetween(withMirrored(few), many, MAX_DISTANCE, (position, index, distance) => {
      const place = position >> 1;
      const original = originals[place % originals.length] as number;
      const candidate = { original, distance, cropped, window: windowAt(place), mirrored: (position & 1) === 1 };
      keepNearest(nearest, suspects[index] as number, candidate);
    });

  // Of a picture and its crop, one is whole.
  const windows = WINDOWS.map((_, window) => window);
  if (cropped === "suspect") {
    const parts = joined(windows.map((window) => hashesOfWindow(pictures, originals, window)));
    search(parts, hashesOfWindow(pictures, suspects, 0), (place) => Math.floor(place / originals.length));
  } else {
    const wholes = hashesOfWindow(pictures, originals, 0);
    for (const window of windows.slice(1)) search(wholes, hashesOfWindow(pictures, suspects, window), () => window);
  }
  return Array.from(nearest, ([suspect, candidates]) => ({ suspect, candidates }));
}

/** What several searches have found, by suspect. */
export function mergeCandidates(searches: readonly (readonly SuspectedCopy[])[]): SuspectedCopy[] {
  const nearest = new Map<number, CopyCandidate[]>();
  for (const { suspect, candidates } of searches.flat()) {
    for (const candidate of candidates) keepNearest(nearest, suspect, candidate);
  }
  const merged = Array.from(nearest, ([suspect, candidates]) => ({ suspect, candidates }));
  return merged.sort((a, b) => a.suspect - b.suspect);
}

/** One after the other. */
function joined(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

/** (4N) after each hash that of the mirrored picture. */
function withMirrored(hashes: Uint32Array): Uint32Array {
  const both = new Uint32Array(2 * hashes.length);
  for (let position = 0; position < hashes.length / WORDS_PER_HASH; position++) {
    const low = hashes[2 * position] as number;
    const high = hashes[2 * position + 1] as number;
    if (low !== 0 || high !== 0) both.set([low, high, low ^ FLIP_MASK, high ^ FLIP_MASK], 4 * position);
  }
  return both;
}

/** Keeps one candidate of each original, and of the nearest originals only. */
function keepNearest(nearest: Map<number, CopyCandidate[]>, suspect: number, candidate: CopyCandidate): void {
  const known = nearest.get(suspect) ?? [];
  const same = known.find(({ original }) => original === candidate.original);
  if (same !== undefined && compare(same, candidate) <= 0) return;
  const kept = [...known.filter((other) => other !== same), candidate].sort(compare);
  nearest.set(suspect, kept.slice(0, MOST_CANDIDATES));
}

/** By distance; then so that it makes no difference which is found first. */
function compare(a: CopyCandidate, b: CopyCandidate): number {
  return (
    a.distance - b.distance ||
    a.window - b.window ||
    a.original - b.original ||
    Number(a.mirrored) - Number(b.mirrored) ||
    Number(a.cropped === "original") - Number(b.cropped === "original")
  );
}
