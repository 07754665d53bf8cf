/** What the server says of an evaluation. Values are fractions. */

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
