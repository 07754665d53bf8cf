/** The annotations of a COCO file before it is known which images and categories it has: their ids may be any numbers. */
import { emptyTable, type ObjectTable, type WritableTable } from "../object-table.js";

/** Places of a row's numbers; an area of NaN stands for none. */
export const ROW = { id: 0, image_id: 1, category_id: 2, bbox: 3, area: 7, iscrowd: 8 } as const;
export const ROW_WIDTH = 9;

const FIRST_CAPACITY = 1024;

export interface AnnotationRows {
  count: number;
  /** (capacity * 9), see `ROW`. */
  values: Float64Array;
  /** COCO `segmentation` of each row as JSON text; undefined if masks are not kept. */
  readonly segmentations: (string | undefined)[] | undefined;
}

export function newRows(masks: boolean): AnnotationRows {
  return { count: 0, values: new Float64Array(ROW_WIDTH * FIRST_CAPACITY), segmentations: masks ? [] : undefined };
}

/** @param expected how many rows there may be in the end. */
export function reserveRow(rows: AnnotationRows, expected: () => number): void {
  const { count, values } = rows;
  if (ROW_WIDTH * (count + 1) <= values.length) return;
  rows.values = new Float64Array(ROW_WIDTH * Math.ceil(Math.max(1.25 * count, expected())));
  rows.values.set(values);
}

/** (count) */
export function rowValues({ count, values }: AnnotationRows, place: number): Float64Array {
  const column = new Float64Array(count);
  for (let row = 0; row < count; row++) column[row] = values[ROW_WIDTH * row + place] as number;
  return column;
}

/**
 * Groups rows by their image.
 * @param imageIndices and classIndices by id. Rows that lack either are left out.
 */
export function groupRows(
  rows: AnnotationRows,
  imageIndices: ReadonlyMap<number, number>,
  classIndices: ReadonlyMap<number, number>,
): ObjectTable {
  const { count, values, segmentations } = rows;
  const images = new Int32Array(count);
  const classes = new Int32Array(count);
  const starts = new Int32Array(imageIndices.size + 1);
  for (let row = 0; row < count; row++) {
    const image = imageIndices.get(values[ROW_WIDTH * row + ROW.image_id] as number) ?? -1;
    const classIndex = classIndices.get(values[ROW_WIDTH * row + ROW.category_id] as number) ?? -1;
    images[row] = classIndex < 0 ? -1 : image;
    classes[row] = classIndex;
    if (images[row] !== -1) starts[image + 1]!++;
  }
  for (let image = 1; image < starts.length; image++) starts[image]! += starts[image - 1] as number;
  const table = emptyTable(starts, starts.at(-1) as number, segmentations !== undefined);
  const next = starts.slice();
  for (let row = 0; row < count; row++) {
    const image = images[row] as number;
    if (image >= 0) setObject(table, next[image]!++, rows, row, classes[row] as number);
  }
  return table;
}

function setObject(table: WritableTable, object: number, rows: AnnotationRows, row: number, classIndex: number): void {
  const { values, segmentations } = rows;
  const at = ROW_WIDTH * row;
  const box = at + ROW.bbox;
  const area = values[at + ROW.area] as number;
  for (let side = 0; side < 4; side++) table.boxesXywh[4 * object + side] = values[box + side] as number;
  table.classIndices[object] = classIndex;
  table.areas[object] = Number.isNaN(area) ? (values[box + 2] as number) * (values[box + 3] as number) : area;
  table.isCrowd[object] = values[at + ROW.iscrowd] as number;
  table.sourceIds[object] = values[at + ROW.id] as number;
  if (table.segmentations !== undefined) table.segmentations[object] = segmentations?.[row];
}
