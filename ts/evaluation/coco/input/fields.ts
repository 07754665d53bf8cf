/** What the metric reads of a record: its names in JSON and in columns, and which values it may have. */
import { CasslError } from "../../../core/errors.js";

export interface Field {
  readonly name: string;
  readonly column: string;
  readonly kind: "id" | "box" | "number" | "flag";
  /** Numbers a row. */
  readonly width: 1 | 4;
  /** Whether records may lack it, which means 0. */
  readonly isOptional?: true;
}

export const imageId = { name: "image_id", column: "imageId", kind: "id", width: 1 } as const;
const categoryId = { name: "category_id", column: "categoryId", kind: "id", width: 1 } as const;
const box = { name: "bbox", column: "boxXywh", kind: "box", width: 4 } as const;
const score = { name: "score", column: "score", kind: "number", width: 1 } as const;

/** Of images and categories. */
export const idFields = [{ name: "id", column: "id", kind: "id", width: 1 }] as const;
export const detectionFields = [categoryId, box, score] as const;
export const resultFields = [imageId, ...detectionFields] as const;
export const annotationFields = [
  ...idFields,
  imageId,
  categoryId,
  box,
  { name: "area", column: "area", kind: "number", width: 1 },
  { name: "iscrowd", column: "iscrowd", kind: "flag", width: 1, isOptional: true },
] as const;

/** Characters of a value in a message. */
const LONGEST_VALUE = 100;

/** One array a field. */
export type Columns<Fields extends readonly Field[] = readonly Field[]> = {
  readonly [column in Fields[number]["column"]]: Float64Array;
};

/** Where records come from, for messages. */
export interface Source {
  /** What each is called, such as "result". */
  readonly record: string;
  /** Path of the file, if they come from one. */
  readonly file?: string | undefined;
}

/** Ends of what a kind of value may be. Boxes end where products of their numbers would not be finite. */
const kinds = {
  id: { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER, fault: "not a whole number below 2^53" },
  box: { least: -1e100, most: 1e100, fault: "not a box [x, y, width, height]" },
  number: { least: -Number.MAX_VALUE, most: Number.MAX_VALUE, fault: "not a finite number" },
  flag: { least: 0, most: 1, fault: "neither 0 nor 1" },
} as const;

/** ANNOTATIONS_INVALID names the first value that a field may not have. */
export function checkColumns(fields: readonly Field[], columns: Columns, source: Source): void {
  for (const field of fields) checkColumn(field, columns[field.column] as Float64Array, source);
}

function checkColumn(field: Field, values: Float64Array, source: Source): void {
  const { least, most } = kinds[field.kind];
  const isWhole = field.kind === "id" || field.kind === "flag";
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value >= least && value <= most && (!isWhole || value === Math.trunc(value))) continue;
    const row = Math.floor(i / field.width);
    const shown = field.width === 1 ? String(value) : `[${values.subarray(4 * row, 4 * row + 4).join(",")}]`;
    throw invalidValue(field, shown, row, source);
  }
}

/** @param json the value. */
export function invalidValue(
  { name, kind }: Field,
  json: string,
  row: number,
  source: Source,
  fault: string = kinds[kind].fault,
): CasslError {
  return invalidRecord(`has ${name} ${abbreviated(json)}, which is ${fault}`, row, source);
}

export function notAnObject(json: string, row: number, source: Source): CasslError {
  return invalidRecord(`is ${abbreviated(json)}, not an object`, row, source);
}

function abbreviated(json: string): string {
  return json.length > LONGEST_VALUE ? `${json.slice(0, LONGEST_VALUE)}...` : json;
}

function invalidRecord(fault: string, row: number, { record, file }: Source): CasslError {
  const place = file === undefined ? `position ${row}` : `position ${row} of ${file}`;
  return new CasslError("ANNOTATIONS_INVALID", `The ${record} at ${place} ${fault}.`, "Correct it.");
}
