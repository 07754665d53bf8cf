/** The records of a COCO file as they are written, each checked by itself. A check returns what is wrong, or undefined. */
import { leadsOut } from "../image-folder.js";
import { show } from "../show.js";

export interface CocoImage {
  readonly id: number;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
}

export function categoryFault(record: unknown, position: number): string | undefined {
  if (!isObject(record)) return notAnObject("category", record, position);
  const { id, name } = record;
  if (!Number.isSafeInteger(id)) return `the category at position ${position} has the id ${show(id)}, not an integer`;
  if (!isText(name)) return `category ${show(id)} has the name ${show(name)}, not a text in UTF-8`;
  return undefined;
}

export function imageFault(record: unknown, position: number): string | undefined {
  if (!isObject(record)) return notAnObject("image", record, position);
  const { id, file_name, width, height } = record;
  if (!Number.isSafeInteger(id)) return `the image at position ${position} has the id ${show(id)}, not an integer`;
  if (!isText(file_name)) return `image ${show(id)} has the file_name ${show(file_name)}, not a text in UTF-8`;
  if (leadsOut(file_name))
    return `image ${show(id)} has the file_name ${show(file_name)}, which leads out of its folder`;
  if (!isSize(width)) return `image ${show(id)} (${file_name}) has the width ${show(width)}, not a positive integer`;
  if (!isSize(height)) return `image ${show(id)} (${file_name}) has the height ${show(height)}, not a positive integer`;
  return undefined;
}

export function annotationFault(record: unknown, position: number): string | undefined {
  if (!isObject(record)) return notAnObject("annotation", record, position);
  const { id, image_id, category_id, bbox, area, iscrowd } = record;
  if (!Number.isSafeInteger(id)) return `the annotation at position ${position} has the id ${show(id)}, not an integer`;
  const has = `annotation ${show(id)} has`;
  if (!Number.isSafeInteger(image_id)) return `${has} the image_id ${show(image_id)}, not an integer`;
  if (!Number.isSafeInteger(category_id)) return `${has} the category_id ${show(category_id)}, not an integer`;
  if (bbox === undefined) return `${has} no bbox`;
  if (!isBox(bbox)) return `${has} the bbox ${show(bbox)}, not four finite numbers`;
  if (!isArea(area)) return `${has} the area ${show(area)}, not a number of at least 0`;
  if (!isCrowdFlag(iscrowd)) return `${has} the iscrowd ${show(iscrowd)}, not 0 or 1`;
  return undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notAnObject(kind: string, record: unknown, position: number): string {
  return `the ${kind} at position ${position} is ${show(record)}, not an object`;
}

/** Bytes that are no UTF-8 are read as U+FFFD. */
function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\ufffd");
}

function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isBox(value: unknown): boolean {
  return Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
}

function isArea(value: unknown): boolean {
  return value === undefined || (Number.isFinite(value) && (value as number) >= 0);
}

function isCrowdFlag(value: unknown): boolean {
  return value === undefined || value === 0 || value === 1 || typeof value === "boolean";
}
