/** What the metric reads of a record: its names in JSON and in columns, and which values it may have. */
import { CasslError } from "../../../core/errors.js";

export interface Field {
  readonly name: string;
  readonly column: string;
  readonly kind: "id" | "box" | "number" | "flag";
  /** Numbers a row. */
  readonly width: 1 | 4;
  /** What stands for it where a record lacks it, in each of its numbers. Without this, each record must have it. */
  readonly absent?: number;
}

export const imageId = { name: "image_id", column: "imageId", kind: "id", width: 1 } as const;
const categoryId = { name: "category_id", column: "categoryId", kind: "id", width: 1 } as const;
/** Where there are masks, boxes may be absent. */
const box = { name: "bbox", column: "boxXywh", kind: "box", width: 4, absent: NaN } as const;
const score = { name: "score", column: "score", kind: "number", width: 1 } as const;

/** Of images and categories. */
export const idFields = [{ name: "id", column: "id", kind: "id", width: 1 }] as const;
const sizedImageFields = [
  ...idFields,
  { name: "width", column: "width", kind: "number", width: 1, absent: NaN },
  { name: "height", column: "height", kind: "number", width: 1, absent: NaN },
] as const;
export const detectionFields = [categoryId, box, score] as const;
export const resultFields = [imageId, ...detectionFields] as const;
export const annotationFields = [
  ...idFields,
  imageId,
  categoryId,
  box,
  { name: "area", column: "area", kind: "number", width: 1 },
  { name: "iscrowd", column: "iscrowd", kind: "flag", width: 1, absent: 0 },
] as const;

/** Characters of a value in a message. */
const LONGEST_VALUE = 100;

/** One array a field. */
export type Columns<Fields extends readonly Field[] = readonly Field[]> = {
  readonly [column in Fields[number]["column"]]: Float64Array;
};

/** Sizes are in px, NaN where they are not known. */
export type ImageColumns = Columns<typeof idFields> & Partial<Columns<typeof sizedImageFields>>;

/** Of images; their sizes matter to masks alone. */
export function imageFields(withMasks: boolean): typeof idFields | typeof sizedImageFields {
  return withMasks ? sizedImageFields : idFields;
}

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
    if (isAbsent(field, values, row)) {
      i += field.width - 1;
      continue;
    }
    const shown = field.width === 1 ? String(value) : `[${values.subarray(4 * row, 4 * row + 4).join(",")}]`;
    throw invalidValue(field, shown, row, source);
  }
}

function isAbsent({ absent, width }: Field, values: Float64Array, row: number): boolean {
  return values.subarray(width * row, width * (row + 1)).every((value) => Object.is(value, absent));
}

/** Of boxes that are checked. */
export function hasBox(boxXywh: Float64Array, row: number): boolean {
  return !Number.isNaN(boxXywh[4 * row]);
}

/** ANNOTATIONS_INVALID names the first record without a box. @param isExempt whether a row can do without. */
export function requireBoxes(boxXywh: Float64Array, source: Source, isExempt = (_row: number): boolean => false): void {
  for (let at = 0; at < boxXywh.length; at += 4) {
    if (Number.isNaN(boxXywh[at]) && !isExempt(at / 4)) throw invalidValue(box, "undefined", at / 4, source);
  }
}

/** @param json the value. */
export function invalidValue(
  { name, kind }: Pick<Field, "name" | "kind">,
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

function invalidRecord(fault: string, row: number, source: Source): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", `${describeRecord(row, source)} ${fault}.`, "Correct it.");
}

export function describeRecord(row: number, { record, file }: Source): string {
  return `The ${record} at position ${row}${file === undefined ? "" : ` of ${file}`}`;
}
