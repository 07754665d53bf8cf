/** One annotation file of Pascal VOC. */
import type { BoxXywh } from "../../../core/boxes.js";
import { parseNumber, snapPx } from "../numbers.js";
import { show } from "../show.js";
import { child, childText, parseXml, type XmlElement } from "./xml.js";

export interface VocAnnotation {
  /** As it is written; undefined if it is not. */
  readonly filename: string | undefined;
  /** Undefined if it is not written, or is 0. */
  readonly size: { readonly width_px: number; readonly height_px: number } | undefined;
  readonly objects: readonly VocObject[];
  readonly faults: readonly string[];
}

export interface VocObject {
  /** Counted from 1. */
  readonly position: number;
  readonly name: string;
  readonly box: BoxXywh;
  readonly iscrowd: boolean;
  readonly hasMask: boolean;
}

const CORNERS = ["xmin", "ymin", "xmax", "ymax"] as const;

/** Throws an Error if the text is no XML, or no annotation of Pascal VOC. */
export function parseVocAnnotation(text: string): VocAnnotation {
  const root = parseXml(text);
  if (root.name !== "annotation") throw new Error(`the root element is <${root.name}>, not <annotation>`);
  const parsed = root.children
    .filter(({ name }) => name === "object")
    .map((object, index) => parseObject(object, index + 1));
  return {
    filename: childText(root, "filename"),
    size: sizeOf(child(root, "size")),
    objects: parsed.filter((object) => typeof object !== "string"),
    faults: parsed.filter((object) => typeof object === "string"),
  };
}

function sizeOf(element: XmlElement | undefined): VocAnnotation["size"] {
  const [width, height] = ["width", "height"].map((side) => parseNumber(childText(element, side) ?? ""));
  const isSize = (side: number | undefined): side is number => Number.isSafeInteger(side) && (side as number) > 0;
  return isSize(width) && isSize(height) ? { width_px: width, height_px: height } : undefined;
}

/** Corners are taken as they are, as most tools write them: the width is xmax - xmin. */
function parseObject(element: XmlElement, position: number): VocObject | string {
  const name = childText(element, "name");
  if (name === undefined) return `object ${position} has no name`;
  const bounds = child(element, "bndbox");
  if (bounds === undefined) return `object ${position} (${name}) has no bndbox`;
  const corners = CORNERS.map((corner) => parseNumber(childText(bounds, corner) ?? ""));
  const bad = corners.indexOf(undefined);
  if (bad >= 0) {
    const corner = CORNERS[bad] as string;
    return `object ${position} (${name}) has the ${corner} ${show(childText(bounds, corner))}, not a number`;
  }
  const [left, top, right, bottom] = corners as [number, number, number, number];
  return {
    position,
    name,
    box: [left, top, snapPx(right - left), snapPx(bottom - top)],
    iscrowd: childText(element, "iscrowd") === "1",
    hasMask: child(element, "polygon") !== undefined,
  };
}
