/** The searches in threads of their own: among millions of pictures they take a minute, in which others want to go on. */
import { askThread } from "../../core/thread.js";
import { type CopyCandidate, mergeCandidates, type SuspectedCopy } from "./candidates.js";
import { type PackedNames, packNames } from "./natural-order.js";
import { FLIP_MASK } from "./picture-hash.js";
import { mergeSeries } from "./series.js";

/** Hashes of pictures in memory that threads can share. */
export type SharedPictures = Uint32Array<SharedArrayBuffer>;

export type SearchRequest = { readonly pictures: SharedPictures } & (
  | ({ readonly kind: "copies" } & CopySearch)
  | { readonly kind: "alike"; readonly positions: Uint32Array; readonly mask: number }
  | { readonly kind: "neighbours"; readonly positions: Uint32Array; readonly names: PackedNames }
);

interface CopySearch {
  readonly suspects: Uint32Array;
  readonly originals: Uint32Array;
  readonly cropped: CopyCandidate["cropped"];
}

export type SearchResult = SuspectedCopy[] | Uint32Array;

/** `findCopyCandidates` in threads. */
export async function searchCopies(
  pictures: SharedPictures,
  suspects: Uint32Array,
  originals: Uint32Array,
  signal: AbortSignal,
): Promise<SuspectedCopy[]> {
  const searches = (["suspect", "original"] as const).map((cropped) =>
    search({ kind: "copies", pictures, suspects, originals, cropped }, signal),
  );
  return mergeCandidates((await Promise.all(searches)) as SuspectedCopy[][]);
}

/**
 * The series that pictures belong to, by what they show and by their names.
 * @param positions (N) the pictures to group.
 * @param names (N) their paths.
 * @returns (N) for each the place of the first picture of its series, 0..N-1.
 */
export async function searchSeries(
  pictures: SharedPictures,
  positions: Uint32Array,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Uint32Array> {
  const searches = [
    search({ kind: "alike", pictures, positions, mask: 0 }, signal),
    search({ kind: "alike", pictures, positions, mask: FLIP_MASK }, signal),
    search({ kind: "neighbours", pictures, positions, names: packNames(names) }, signal),
  ];
  return mergeSeries((await Promise.all(searches)) as Uint32Array[]);
}

function search(request: SearchRequest, signal: AbortSignal): Promise<SearchResult> {
  return askThread<SearchResult>(new URL("./search-thread.js", import.meta.url), request, signal);
}
