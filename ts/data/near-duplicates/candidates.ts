/** Which pictures may be copies of which others, going by their hashes alone. */
import { buildHashIndex, type HashIndex } from "./hash-index.js";
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

/** How many originals are indexed at once: more would take more memory, not less time. */
const ORIGINALS_AT_ONCE = 8192;

/**
 * The suspects that may be copies, each with its nearest originals.
 * @param pictures (32 * N) hashes of all windows of each picture.
 * @param suspects,originals positions.
 */
export function findCopyCandidates(
  pictures: Uint32Array,
  suspects: Uint32Array,
  originals: Uint32Array,
): SuspectedCopy[] {
  const nearest = new Map<number, CopyCandidate[]>();
  for (let start = 0; start < originals.length; start += ORIGINALS_AT_ONCE) {
    const some = originals.subarray(start, start + ORIGINALS_AT_ONCE);
    const indexOf = (window: number): HashIndex =>
      buildHashIndex(withMirrored(hashesOfWindow(pictures, some, window)), MAX_DISTANCE, suspects.length);
    const search = (index: HashIndex, hashes: Uint32Array, cropped: CopyCandidate["cropped"], window: number): void =>
      forEachNear(index, hashes, (position, suspect, distance) => {
        const found = { original: some[position >> 1] as number, mirrored: (position & 1) === 1 };
        keepNearest(nearest, suspects[suspect] as number, { ...found, distance, cropped, window });
      });

    // Of a picture and its crop, one is whole.
    const wholeOriginals = indexOf(0);
    const wholeSuspects = hashesOfWindow(pictures, suspects, 0);
    search(wholeOriginals, wholeSuspects, "suspect", 0);
    for (let window = 1; window < WINDOWS.length; window++) {
      search(indexOf(window), wholeSuspects, "suspect", window);
      search(wholeOriginals, hashesOfWindow(pictures, suspects, window), "original", window);
    }
  }
  return Array.from(nearest, ([suspect, candidates]) => ({ suspect, candidates }));
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

/** Looks each hash up. */
function forEachNear(
  index: HashIndex,
  hashes: Uint32Array,
  found: (indexed: number, searched: number, distance: number) => void,
): void {
  let searched = 0;
  const visit = (indexed: number, distance: number): void => found(indexed, searched, distance);
  for (; searched < hashes.length / WORDS_PER_HASH; searched++) {
    index.search(hashes[2 * searched] as number, hashes[2 * searched + 1] as number, visit);
  }
}

/** Keeps one candidate of each original, and of the nearest originals only. */
function keepNearest(nearest: Map<number, CopyCandidate[]>, suspect: number, candidate: CopyCandidate): void {
  const known = nearest.get(suspect) ?? [];
  const same = known.find(({ original }) => original === candidate.original);
  if (same !== undefined && same.distance <= candidate.distance) return;
  const kept = [...known.filter((other) => other !== same), candidate].sort((a, b) => a.distance - b.distance);
  nearest.set(suspect, kept.slice(0, MOST_CANDIDATES));
}
