/** What the server says of the images of a run, and of what became of them. */
import type { TextTable } from "./requests.js";

/** Lines of the ledger that come at once. */
export const LEDGER_LINES = 50;

/** Pairs of images that come at once. */
export const PAIRS_AT_ONCE = 24;

/** A set that the images of a run come in. */
export type SplitName = "labeled" | "unlabeled" | "validation";

/** `GET /api/runs/ID/data`: what became of the images, and what is in the sets. */
export interface DataSummary {
  readonly fates: readonly FateRow[];
  /** The same by fate and set, with sums. */
  readonly fateTable: TextTable;
  /** The sets that the run uses, the labeled one also in the parts that it was split into. */
  readonly sets: readonly SetRow[];
  /** Labeled images used over images in the labeled annotation file, in [0, 1]. */
  readonly labeledFraction: number;
  /** Whether images of one series were split; undefined if no images are held out. */
  readonly isTorn: boolean | undefined;
  /** Boxes of the annotation files that were changed or left out. */
  readonly boxes: readonly { readonly set: SplitName; readonly clipped: number; readonly dropped: number }[];
  readonly classes: readonly ClassRow[];
}

export interface FateRow {
  readonly split: SplitName;
  readonly fate: "used" | "dropped";
  readonly reason?: string;
  readonly images: number;
}

export interface SetRow {
  readonly name: SplitName | "training" | "held out";
  readonly images: number;
  /** Undefined of images whose objects nobody has marked. */
  readonly objects: number | undefined;
  readonly emptyImages: number | undefined;
}

export interface ClassRow {
  readonly name: string;
  readonly labeled: ClassCountRow;
  readonly validation: ClassCountRow;
}

export interface ClassCountRow {
  readonly objects: number;
  readonly images: number;
}

/** `GET /api/runs/ID/ledger`: a page of the ledger of curation. */
export interface LedgerPage {
  /** Lines that were asked for. */
  readonly total: number;
  readonly lines: readonly LedgerRow[];
}

/** A line of the ledger: what is not known is left out. */
export interface LedgerRow {
  readonly file_name: string;
  readonly split: SplitName;
  readonly fate: "used" | "dropped";
  readonly reason?: string;
  readonly detail?: string;
  readonly size_bytes?: number;
  readonly width_px?: number;
  readonly height_px?: number;
  readonly series?: string;
}

export type PairKind = "leaks" | "copies";

/** `GET /api/runs/ID/pairs`: images that were dropped, each with the one that shows the same. */
export interface PairPage {
  readonly total: number;
  readonly pairs: readonly ImagePair[];
}

export interface ImagePair {
  readonly dropped: PairedImage;
  readonly kept: PairedImage;
  /** Whether the files are equal, or only what they show. */
  readonly isExact: boolean;
  /** 0 for the same picture; of near-duplicates only. */
  readonly distance?: number;
  readonly mirrored?: boolean;
}

export interface PairedImage {
  readonly name: string;
  readonly split: SplitName;
}
