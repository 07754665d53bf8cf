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
  const search = (index: HashIndex, hashes: Uint32Array, cropped: CopyCandidate["cropped"], window: number): void =>
    searchAll(index, hashes, (suspect, original, distance, mirrored) => {
      const candidate = { original: originals[original] as number, distance, cropped, window, mirrored };
      keepNearest(nearest, suspects[suspect] as number, candidate);
    });

  const indexOf = (window: number): HashIndex =>
    buildHashIndex(hashesOfWindow(pictures, suspects, window), MAX_DISTANCE);
  const wholeSuspects = indexOf(0);
  const wholeOriginals = hashesOfWindow(pictures, originals, 0);
  for (const window of WINDOWS.keys()) {
    search(wholeSuspects, hashesOfWindow(pictures, originals, window), "suspect", window);
    if (window > 0) search(indexOf(window), wholeOriginals, "original", window);
  }
  return Array.from(nearest, ([suspect, candidates]) => ({ suspect, candidates }));
}

/** Looks each hash up as it is and mirrored. */
function searchAll(
  index: HashIndex,
  hashes: Uint32Array,
  found: (indexed: number, searched: number, distance: number, mirrored: boolean) => void,
): void {
  for (let searched = 0; searched < hashes.length / WORDS_PER_HASH; searched++) {
    const low = hashes[2 * searched] as number;
    const high = hashes[2 * searched + 1] as number;
    if (low === 0 && high === 0) continue;
    index.search(low, high, (indexed, distance) => found(indexed, searched, distance, false));
    index.search(low ^ FLIP_MASK, high ^ FLIP_MASK, (indexed, distance) => found(indexed, searched, distance, true));
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
