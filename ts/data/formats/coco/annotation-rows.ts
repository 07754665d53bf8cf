/** The annotations of a COCO file before it is known which images and categories it has: their ids may be any numbers. */
import { emptyTable, type ObjectTable, type WritableTable } from "../object-table.js";
import type { CocoAnnotation } from "./coco-records.js";

/** Numbers of a row: id, image_id, category_id, bbox (4), area (NaN if there is none), iscrowd. */
const WIDTH = 9;
const FIRST_CAPACITY = 1024;

export interface AnnotationRows {
  readonly count: number;
  /** (count * 9) */
  readonly values: Float64Array;
  readonly segmentations: readonly (string | undefined)[] | undefined;
}

export interface AnnotationCollector {
  add(annotation: CocoAnnotation, segmentation: string | undefined): void;
  rows(): AnnotationRows;
}

export function collectAnnotations(masks: boolean): AnnotationCollector {
  const segmentations: (string | undefined)[] = [];
  let values = new Float64Array(WIDTH * FIRST_CAPACITY);
  let count = 0;
  return {
    add({ id, image_id, category_id, bbox, area = Number.NaN, iscrowd }, segmentation) {
      if (WIDTH * count === values.length) values = doubled(values);
      values.set([id, image_id, category_id, ...bbox, area, Number(iscrowd ?? 0)], WIDTH * count);
      if (masks) segmentations[count] = segmentation;
      count++;
    },
    rows: () => ({ count, values, segmentations: masks ? segmentations : undefined }),
  };
}

export function idsOf({ count, values }: AnnotationRows, column: "id" | "image_id" | "category_id"): Float64Array {
  const offset = ["id", "image_id", "category_id"].indexOf(column);
  return Float64Array.from({ length: count }, (_, row) => values[WIDTH * row + offset] as number);
}

/**
 * Groups rows by their image.
 * @param imageIndices and classIndices by id. Rows that have neither are left out.
 */
export function groupRows(
  rows: AnnotationRows,
  imageIndices: ReadonlyMap<number, number>,
  classIndices: ReadonlyMap<number, number>,
): ObjectTable {
  const images = new Int32Array(rows.count);
  const classes = new Int32Array(rows.count);
  const starts = new Int32Array(imageIndices.size + 1);
  for (let row = 0; row < rows.count; row++) {
    const classIndex = classIndices.get(rows.values[WIDTH * row + 2] as number);
    const image = imageIndices.get(rows.values[WIDTH * row + 1] as number);
    images[row] = classIndex === undefined ? -1 : (image ?? -1);
    classes[row] = classIndex ?? -1;
    if (images[row] !== -1) starts[(images[row] as number) + 1]!++;
  }
  for (let image = 1; image < starts.length; image++) starts[image]! += starts[image - 1] as number;
  const table = emptyTable(starts, starts.at(-1) as number, rows.segmentations !== undefined);
  const next = starts.slice();
  for (let row = 0; row < rows.count; row++) {
    const image = images[row] as number;
    if (image !== -1) setObject(table, next[image]!++, rows, row, classes[row] as number);
  }
  return table;
}

function setObject(table: WritableTable, object: number, rows: AnnotationRows, row: number, classIndex: number): void {
  const { values, segmentations } = rows;
  const at = WIDTH * row;
  const area = values[at + 7] as number;
  for (let axis = 0; axis < 4; axis++) table.boxesXywh[4 * object + axis] = values[at + 3 + axis] as number;
  table.classIndices[object] = classIndex;
  table.areas[object] = Number.isNaN(area) ? (values[at + 5] as number) * (values[at + 6] as number) : area;
  table.isCrowd[object] = values[at + 8] as number;
  table.sourceIds[object] = values[at] as number;
  if (table.segmentations !== undefined) table.segmentations[object] = segmentations?.[row];
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length);
  larger.set(values);
  return larger;
}
