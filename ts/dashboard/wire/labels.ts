/** What the server says of pseudo labels, and what reviewers make of them. */

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
