/** Objects in columns: millions of them take 60 bytes each, and no time of the garbage collector. */
import type { BoxXywh } from "../../core/boxes.js";

/** N objects, grouped by their image and in the order of the source within it. */
export interface ObjectTable {
  /** (images + 1) the objects of image i are those from starts[i] to below starts[i + 1]. */
  readonly starts: Int32Array;
  /** (N) 0..K-1. */
  readonly classIndices: Int32Array;
  /** (N * 4) xywh, absolute px; finite, but perhaps outside of the image or without area. */
  readonly boxesXywh: Float64Array;
  /** (N) square px. */
  readonly areas: Float64Array;
  /** (N) 0 or 1. */
  readonly isCrowd: Uint8Array;
  /** (N) what the source calls the object: an id, or a place in the file of its image. */
  readonly sourceIds: Float64Array;
  /** (N) COCO `segmentation` as JSON text; absent if masks were not asked for. */
  readonly segmentations?: readonly (string | undefined)[];
}

/** An object on its way into a table. */
export interface ObjectRow {
  readonly classIndex: number;
  readonly box: BoxXywh;
  /** Absent: that of the box. */
  readonly area?: number;
  readonly iscrowd: boolean;
  readonly sourceId: number;
  readonly segmentation?: string;
}

/** @param rows of each image. */
export function toObjectTable(rows: readonly (readonly ObjectRow[])[], masks: boolean): ObjectTable {
  const starts = new Int32Array(rows.length + 1);
  for (const [image, { length }] of rows.entries()) starts[image + 1] = (starts[image] as number) + length;
  const count = starts[rows.length] as number;
  const table = emptyTable(starts, count, masks);
  let at = 0;
  for (const row of rows.flat()) setRow(table, at++, row);
  return table;
}

export interface WritableTable extends ObjectTable {
  readonly segmentations?: (string | undefined)[];
}

/** @param count N. */
export function emptyTable(starts: Int32Array, count: number, masks: boolean): WritableTable {
  return {
    starts,
    classIndices: new Int32Array(count),
    boxesXywh: new Float64Array(4 * count),
    areas: new Float64Array(count),
    isCrowd: new Uint8Array(count),
    sourceIds: new Float64Array(count),
    ...(masks ? { segmentations: new Array<string | undefined>(count) } : {}),
  };
}

export function boxAt({ boxesXywh }: ObjectTable, object: number): BoxXywh {
  const at = 4 * object;
  return [boxesXywh[at], boxesXywh[at + 1], boxesXywh[at + 2], boxesXywh[at + 3]] as unknown as BoxXywh;
}

function setRow(table: WritableTable, at: number, row: ObjectRow): void {
  const { classIndex, box, area = box[2] * box[3], iscrowd, sourceId, segmentation } = row;
  table.classIndices[at] = classIndex;
  table.boxesXywh.set(box, 4 * at);
  table.areas[at] = area;
  table.isCrowd[at] = Number(iscrowd);
  table.sourceIds[at] = sourceId;
  if (table.segmentations !== undefined) table.segmentations[at] = segmentation;
}
