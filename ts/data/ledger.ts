/** The ledger of curation: what became of every image, one line each, and the sums over it. */
import type { DroppedImage, DropReason } from "./fates.js";
import type { ImageInfo } from "./inspect-image.js";
import type { SoundImage } from "./inspected-image.js";
import { decodeLines } from "./json-lines.js";
import { WORDS_PER_PICTURE } from "./near-duplicates/picture-hash.js";
import type { Candidate } from "./sources.js";

/** A line of the ledger. Members that are not known are left out. */
export interface LedgerLine extends Partial<ImageInfo> {
  /** Relative to the image root, with forward slashes. */
  readonly file_name: string;
  readonly split: Candidate["split"];
  readonly fate: "used" | "dropped";
  readonly reason?: DropReason;
  /** What is so only of this image, such as what is wrong with it or what it is a copy of. */
  readonly detail?: string;
  /** 64 bits of what the picture shows, as 16 hex digits. */
  readonly picture_hash?: string;
  /** File name of the first image of its series; absent if it stands alone. */
  readonly series?: string;
}

/** How many images of a set had the same fate. All together are all lines of the ledger. */
export interface FateCount {
  readonly split: Candidate["split"];
  readonly fate: "used" | "dropped";
  readonly reason?: DropReason;
  readonly images: number;
}

/** What the ledger is made of. */
export interface Fates {
  readonly used: readonly SoundImage[];
  readonly dropped: readonly DroppedImage[];
  /** Hashes of all candidates, by `SoundImage.position`. */
  readonly pictures: Uint32Array;
  /** Of each used image the place of the first image of its series among the used ones. */
  readonly series: Uint32Array;
}

export function* ledgerLines({ used, dropped, pictures, series }: Fates): Generator<LedgerLine> {
  const sizes = new Uint32Array(used.length);
  for (const first of series) sizes[first] = (sizes[first] as number) + 1;
  for (const [place, { candidate, info, position }] of used.entries()) {
    const first = series[place] as number;
    const { file_name, split } = candidate;
    yield {
      ...{ file_name, split, fate: "used", ...info, picture_hash: hashText(pictures, position) },
      ...((sizes[first] as number) > 1 ? { series: (used[first] as SoundImage).candidate.file_name } : {}),
    };
  }
  for (const { candidate, reason, detail, info } of dropped) {
    const { file_name, split } = candidate;
    yield { file_name, split, fate: "dropped", reason, ...(detail === undefined ? {} : { detail }), ...info };
  }
}

/** The series of the used labeled images that do not stand alone, by file name. @param ledger JSON Lines. */
export function seriesOf(ledger: Uint8Array): Map<string, string> {
  const series = new Map<string, string>();
  for (const line of decodeLines(ledger) as Generator<LedgerLine>) {
    if (line.split === "labeled" && line.series !== undefined) series.set(line.file_name, line.series);
  }
  return series;
}

/** In the order of the sets, used ones first. */
export function countFates({ used, dropped }: Pick<Fates, "used" | "dropped">): FateCount[] {
  const counts = new Map<string, FateCount>();
  const count = (split: Candidate["split"], fate: FateCount["fate"], reason?: DropReason): void => {
    const key = JSON.stringify([split, fate, reason]);
    const images = (counts.get(key)?.images ?? 0) + 1;
    counts.set(key, { split, fate, ...(reason === undefined ? {} : { reason }), images });
  };
  for (const { candidate } of used) count(candidate.split, "used");
  for (const { candidate, reason } of dropped) count(candidate.split, "dropped", reason);
  return [...counts.values()];
}

function hashText(pictures: Uint32Array, position: number): string {
  const word = (index: number): string => (pictures[index] as number).toString(16).padStart(8, "0");
  return word(position * WORDS_PER_PICTURE + 1) + word(position * WORDS_PER_PICTURE);
}
