/** The COCO files that the metric reads: ground truth (`instances_*.json`) and results. Only what the metric needs is named. */
import { readFile } from "node:fs/promises";
import { CasslError } from "../../core/errors.js";
import type { Segmentation } from "../../masks/index.js";

export interface CocoGroundTruth {
  readonly images: readonly CocoImage[];
  readonly categories: readonly CocoCategory[];
  readonly annotations: readonly CocoAnnotation[];
}

export interface CocoImage {
  readonly id: number;
  /** px. Polygons need it. */
  readonly width?: number;
  /** px. Polygons need it. */
  readonly height?: number;
}

export interface CocoCategory {
  readonly id: number;
  readonly name: string;
}

export interface CocoAnnotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  /** [x, y, width, height], absolute px. Boxes need it. */
  readonly bbox?: readonly number[];
  /** Masks need it. */
  readonly segmentation?: Segmentation;
  /** Square px. Decides the size class; never computed from the box. */
  readonly area: number;
  /** Absent means 0, which pycocotools takes for an error. */
  readonly iscrowd?: number | boolean;
}

/** One detection. A box stands in for a missing mask. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  /** [x, y, width, height], absolute px. */
  readonly bbox: readonly number[];
  readonly segmentation?: Segmentation;
  readonly score: number;
}

/** One detection of which only the mask is known, or of which the mask is what counts. Its extent stands in for a missing box. */
export interface CocoMaskResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox?: readonly number[];
  readonly segmentation: Segmentation;
  readonly score: number;
}

/**
 * The first result decides for all, as in pycocotools: if it has a box, areas are those of boxes, and each result must have one;
 * else areas are those of masks, and each result must have one.
 */
export type CocoResults = readonly (CocoResult | CocoMaskResult)[];

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not ground truth. */
export async function readCocoGroundTruth(path: string): Promise<CocoGroundTruth> {
  const content = (await readJson(path)) as Partial<CocoGroundTruth> | null;
  for (const member of ["images", "categories", "annotations"] as const) {
    if (!Array.isArray(content?.[member])) throw notCoco(`${path} has no list \`${member}\`.`);
  }
  return content as CocoGroundTruth;
}

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not a list of results. */
export async function readCocoResults(path: string): Promise<CocoResults> {
  const content = await readJson(path);
  if (!Array.isArray(content)) throw notCoco(`${path} is not a list of results.`);
  return content as CocoResults;
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new CasslError("FILE_NOT_FOUND", `${path} cannot be read.`, "Correct the path.", { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notCoco(`${path} is not whole JSON: ${(error as Error).message}`, { cause: error });
  }
}

function notCoco(message: string, options?: ErrorOptions): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", message, "Give a file in COCO format.", options);
}

/** ANNOTATIONS_INVALID unless the field holds a finite number. `name` and `row` say which record it is. */
export function numberIn<K extends string>(
  record: { readonly [key in K]: number } | null,
  field: K,
  name: string,
  row: number,
): number {
  const value: unknown = record?.[field];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw invalidField(name, row, field, value, "not a finite number");
}

export function invalidField(name: string, row: number, field: string, value: unknown, what: string): CasslError {
  const message = `The ${name} at position ${row} has ${field} ${JSON.stringify(value)}, which is ${what}.`;
  return new CasslError("ANNOTATIONS_INVALID", message, "Correct the file.");
}
