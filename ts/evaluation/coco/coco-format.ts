/** What the metric reads: COCO ground truth (`instances_*.json`) and results, as parsed JSON or as columns. */

import type { Segmentation } from "../../masks/index.js";

/** What is compared: boxes or masks. */
export type IouType = "bbox" | "segm";

/** Parsed JSON. Only what the metric needs is named. */
export interface CocoGroundTruth {
  readonly images: readonly CocoImage[];
  readonly categories: readonly CocoCategory[];
  readonly annotations: readonly CocoAnnotation[];
}

export interface CocoImage {
  readonly id: number;
  /** px. Masks that are polygons or boxes need it. */
  readonly width?: number;
  /** px. Masks that are polygons or boxes need it. */
  readonly height?: number;
}

/** Of data that are annotated for some classes of an image only, as LVIS is. */
export interface FederatedImage extends CocoImage {
  /** Classes that are known to be absent. */
  readonly neg_category_ids?: readonly number[];
  /** Classes of which some objects may not be annotated. */
  readonly not_exhaustive_category_ids?: readonly number[];
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
}

/** Of data that are annotated for some classes of an image only. */
export interface FederatedCategory extends CocoCategory {
  /** How many training images have the class: rare (below 10), common (below 100) or frequent. */
  readonly frequency?: "r" | "c" | "f";
}

export interface FederatedGroundTruth extends CocoGroundTruth {
  readonly images: readonly FederatedImage[];
  readonly categories: readonly FederatedCategory[];
}

export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  /** [x, y, width, height], absolute px. Needed to compare boxes. */
  readonly bbox?: readonly number[];
  /** Needed to compare masks. */
  readonly segmentation?: Segmentation;
  /** Square px. Decides the size class; never computed from the box. */
  readonly area: number;
  /** Absent means 0, which pycocotools takes for an error. */
  readonly iscrowd?: number | boolean;
}

/** One detection, of an image that is known. Where masks are compared, its box stands in for a missing one. */
export interface CocoDetection {
  readonly category_id: number;
  /** [x, y, width, height], absolute px. */
  readonly bbox: readonly number[];
  readonly segmentation?: Segmentation;
  readonly score: number;
}

/** One detection by its mask. Where boxes are compared, the mask's stands in for a missing one. */
export interface CocoMaskDetection {
  readonly category_id: number;
  readonly bbox?: readonly number[];
  readonly segmentation: Segmentation;
  readonly score: number;
}

/** One detection. */
export interface CocoResult extends CocoDetection {
  readonly image_id: number;
}

/** One detection by its mask. */
export interface CocoMaskResult extends CocoMaskDetection {
  readonly image_id: number;
}

/**
 * The first decides for all, as in pycocotools: if it has a box, sizes are those of boxes, and each must have one; else sizes are
 * those of masks, and each must have one.
 */
export type CocoResults = readonly (CocoResult | CocoMaskResult)[];
/** Of an image that is known; otherwise like `CocoResults`. */
export type CocoDetections = readonly (CocoDetection | CocoMaskDetection)[];

/** One number a row. A Float64Array is used as it is and never changed; others are converted. */
export type NumberColumn =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** Ground truth without an object for each annotation. */
export interface CocoGroundTruthColumns {
  readonly imageIds: NumberColumn;
  readonly categories: readonly CocoCategory[];
  readonly annotations: CocoAnnotationColumns;
}

/** N annotations. */
export interface CocoAnnotationColumns {
  /** (N,). */
  readonly id: NumberColumn;
  /** (N,). */
  readonly imageId: NumberColumn;
  /** (N,). */
  readonly categoryId: NumberColumn;
  /** (N, 4) row by row: x, y, width, height, absolute px. */
  readonly boxXywh: NumberColumn;
  /** (N,). Square px. */
  readonly area: NumberColumn;
  /** (N,). 0 or 1. */
  readonly iscrowd: NumberColumn;
}

/** N detections of one image. */
export interface CocoDetectionColumns {
  /** (N,). */
  readonly categoryId: NumberColumn;
  /** (N, 4) row by row: x, y, width, height, absolute px. */
  readonly boxXywh: NumberColumn;
  /** (N,). */
  readonly score: NumberColumn;
}

/** N detections. */
export interface CocoResultColumns extends CocoDetectionColumns {
  /** (N,). */
  readonly imageId: NumberColumn;
}
