/** What the server of the dashboard and its page say to each other, as JSON. Times are ms since 1970, AP values fractions. */
import type { RunState } from "../core/run-state.js";
import type { RunEvent } from "../gen/cassl/v1/run.js";

export const RUN_STATES = [
  "pending",
  "running",
  "succeeded",
  "failed",
  "cancelled",
] as const satisfies readonly RunState[];

/** Whether it waits or is under way. */
export function isUnfinished(state: RunState): boolean {
  return state === "pending" || state === "running";
}

/** A header that every request which changes something must have: pages of other origins cannot send it. */
export const CHANGE_HEADER = "x-cassl-dashboard";

export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

/** `GET /api/session`. */
export interface Session {
  readonly version: string;
  /** Whether somebody has to sign in with a token. */
  readonly signInNeeded: boolean;
  /** Whether somebody has signed in, and may sign out. */
  readonly isSignedIn: boolean;
  /** Whether runs may be cancelled and the like. */
  readonly mayChange: boolean;
}

/** Of an arm that has been evaluated. */
export interface ArmScore {
  readonly arm: string;
  readonly target: string;
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly class_agnostic_ap: number;
}

/** A run in the list. */
export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly state: RunState;
  readonly created: number;
  readonly finished: number | undefined;
  /** The step under way, or the one that the run ended in without success. */
  readonly step: string | undefined;
  /** Of that step, in [0, 1]. */
  readonly progress: number | undefined;
  readonly scores: readonly ArmScore[];
  readonly error: Failure | undefined;
}

export interface WorkerRow {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly devices: readonly string[];
  /** What it is at: steps of several runs where they have the work in common, none if it is idle. */
  readonly steps: readonly { readonly run: string; readonly step: string }[];
  readonly draining: boolean;
}

/** `GET /api/overview`: all that the list shows. Events of `GET /api/overview/events` have the runs that have changed, first all. */
export interface Overview {
  readonly runs: readonly RunRow[];
  readonly workers: readonly WorkerRow[];
}

export interface ArtifactLink {
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

/** `GET /api/runs/ID`. */
export interface RunDetail {
  readonly row: RunRow;
  readonly config: unknown;
  readonly config_hash: string;
  readonly overridden_gates: readonly string[];
  readonly has_report: boolean;
  /** Whether it has looked at its images. */
  readonly has_data: boolean;
  readonly artifacts: readonly ArtifactLink[];
  /** Rounds of labeling that have predictions. */
  readonly labelings: readonly LabelingSummary[];
  /** What has been evaluated so far, by the name of the step. */
  readonly evaluations: readonly (Omit<ArmScore, "arm" | "target"> & { readonly step: string })[];
}

/** What a round of labeling gave. */
export interface LabelingSummary {
  /** Such as `class_agnostic` or `class_agnostic/round_2`. */
  readonly scope: string;
  /** Absent until the pseudo labels are selected. */
  readonly selected: SelectedSummary | undefined;
  /** On held-out images, at the chosen threshold; absent without any. */
  readonly precision: number | undefined;
  readonly recall: number | undefined;
}

export interface SelectedSummary {
  readonly score_threshold: number;
  readonly images: number;
  readonly empty_images: number;
  readonly pseudo_labels: number;
}

/** A message of `GET /api/runs/ID/events`. */
export type StreamedEvent = Omit<RunEvent, "at"> & { readonly at: number };

export type ImageSet = "unlabeled" | "held_out";

/** `GET /api/runs/ID/labels`: the images that a pseudo-labeler has predicted on. */
export interface LabelSet {
  readonly scope: string;
  /** All that there are. */
  readonly scopes: readonly string[];
  readonly set: ImageSet;
  readonly sets: readonly ImageSet[];
  /** Images there are; those that are shown are `files`. */
  readonly total: number;
  readonly files: readonly LabelFile[];
  /** Classes of the predictions. */
  readonly classes: readonly string[];
  /** Classes that a reviewer may give. */
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  /** From which score on the run took predictions; undefined if it has not come to that. */
  readonly threshold: number | undefined;
  /** On held-out images, by descending score. */
  readonly curve: readonly { readonly score: number; readonly precision: number; readonly recall: number }[];
  readonly reviews: readonly ReviewedImage[];
  /** Whether boxes have masks. */
  readonly has_masks: boolean;
}

export interface LabelFile {
  readonly name: string;
  readonly width_px: number;
  readonly height_px: number;
  /** How many of the boxes of `GET /api/runs/ID/boxes`, which are all in a row, are of this image. */
  readonly boxes: number;
  /** Ground truth as far as it is known: x, y, width, height, class of the predictions, for each object. */
  readonly truth?: readonly number[];
}

/** Lines of the ledger that come at once. */
export const LEDGER_LINES = 50;
/** Pairs of images that come at once. */
export const PAIRS_AT_ONCE = 24;

/** Numbers of a box, float32: x, y, width, height in px, score, class. By image, then by descending score. */
export const BOX_NUMBERS = 6;

export interface ReviewedImage {
  readonly file_name: string;
  readonly verdict: "accepted" | "rejected";
  readonly objects: readonly ReviewedBox[];
}

export interface ReviewedBox {
  readonly box_xywh: readonly [x: number, y: number, width: number, height: number];
  readonly category_id?: number | undefined;
  /** Of the whole image, as COCO's counts string. */
  readonly mask?: string | undefined;
}

/** `GET /api/runs/ID/masks?file=NAME`: one a box of the image, in their order; null for a box without. */
export interface ImageMask {
  /** COCO's counts string. */
  readonly counts: string;
  /** An SVG path in px of the image, as coarse as the picture that it is drawn over. */
  readonly path: string;
  /** The box that it came with. */
  readonly box_xywh: ReviewedBox["box_xywh"];
}

/** Whether boxes or masks are compared. */
export type IouType = "bbox" | "segm";

/** `GET /api/runs/ID/evaluation`: what a detector finds in the validation set. Values in [0, 1]; -1 where nothing is to be found. */
export interface EvaluationView {
  /** The step that evaluated it, such as `class_agnostic/evaluate`. */
  readonly step: string;
  /** All that there are. */
  readonly steps: readonly string[];
  readonly iouType: IouType;
  readonly iouTypes: readonly IouType[];
  readonly images: number;
  /** The score from which on F1 at IoU 0.5 is best; null if no detection is right. */
  readonly best: BestScore;
  readonly classes: readonly EvaluatedClass[];
  readonly curves: readonly PrecisionCurves[];
  /** Of detections from the best score on, at IoU 0.5; cells that are not 0. */
  readonly confusion: readonly ConfusionCell[];
  /** At IoU 0.5, as TIDE defines them. */
  readonly errors: readonly ErrorRow[];
  readonly calibration: CalibrationView;
  /** With the classes as detected, with those of the objects, and without any. */
  readonly awareness: Readonly<Record<"classAware" | "oracleClass" | "classAgnostic", ApSummary>>;
  /** Images with the most errors from the best score on, the most first. */
  readonly worst: readonly WorstImage[];
}

export interface BestScore {
  readonly threshold: number | null;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
}

export interface EvaluatedClass extends BestScore {
  readonly name: string;
  /** Objects to be found. */
  readonly positives: number;
  readonly detections: number;
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly ar: number;
}

/** At one IoU the precision at recalls 0, 0.01, ..., 1 of each class, in their order; empty without objects. */
export interface PrecisionCurves {
  readonly iou: number;
  readonly precision: readonly (readonly number[])[];
}

/** Positions of classes; one more than there are is the background. */
export type ConfusionCell = readonly [truth: number, detected: number, count: number];

export interface ErrorRow {
  readonly name: string;
  readonly count: number;
  /** How much higher AP50 would be without these. */
  readonly apGained: number;
}

export interface CalibrationView {
  readonly ece: number;
  readonly mce: number;
  readonly outOfRange: number;
  readonly bins: readonly {
    readonly from: number;
    readonly to: number;
    readonly count: number;
    readonly meanScore: number;
    readonly precision: number;
  }[];
}

export interface ApSummary {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly ar100: number;
}

export interface WorstImage {
  readonly name: string;
  readonly errors: number;
  readonly positives: number;
  /** Those that there are, by their name. */
  readonly kinds: readonly { readonly name: string; readonly count: number }[];
}

/** `GET /api/runs/ID/evaluation/images`: the images of a cell of the confusion matrix, or the worst ones. */
export interface EvaluatedImages {
  /** Images there are; those that are shown are `images`. */
  readonly total: number;
  readonly images: readonly EvaluatedImage[];
}

export interface EvaluatedImage {
  readonly name: string;
  readonly width_px: number;
  readonly height_px: number;
  /** Entries of the asked cell; of the worst images all errors. */
  readonly count: number;
  readonly boxes: readonly EvaluatedBox[];
}

export interface EvaluatedBox {
  /** `aside`: of an entry that was not asked for. */
  readonly kind: "right" | "wrong" | "missed" | "aside";
  readonly box: readonly [x: number, y: number, width: number, height: number];
  readonly label: string;
  /** An SVG path in px of the image. */
  readonly mask?: string;
}

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

export interface TextTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
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
