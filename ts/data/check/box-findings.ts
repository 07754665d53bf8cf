/** What is wrong or suspicious about the boxes of each image. */
import { type BoxXywh, boxIou, toXyxy } from "../../core/boxes.js";
import { overhangPx, ROUNDING_PX } from "../box-policy.js";
import { boxAt } from "../formats/object-table.js";
import { show } from "../formats/show.js";
import type { SourceImage, SourceSet } from "../formats/source-set.js";
import type { FindingKind, FindingList } from "./findings.js";

const TINY_PX = 2;
const EXTREME_ASPECT = 20;
const SAME_BOX_IOU = 0.95;
/** What rounding of an area may add. */
const AREA_SLACK = 1.01;

export function findBoxes(set: SourceSet, findings: FindingList): void {
  set.images.forEach((image, index) => {
    const first = set.objects.starts[index] as number;
    const end = set.objects.starts[index + 1] as number;
    for (let object = first; object < end; object++) {
      for (const kind of kindsOf(set, image, object)) {
        findings.add(kind, { text: describe(set, index, object), image: index, objects: [object] });
      }
    }
    findTwins(set, index, objectsByLeft(set, first, end), findings);
  });
}

function kindsOf({ objects }: SourceSet, { width_px, height_px }: SourceImage, object: number): FindingKind[] {
  const box = boxAt(objects, object);
  const [x, y, width, height] = box;
  if (width <= 0 || height <= 0) return ["box_without_area"];
  if (x >= width_px || y >= height_px || x + width <= 0 || y + height <= 0) return ["box_outside"];
  const overhang = overhangPx(box, width_px, height_px);
  const isTiny = Math.min(width, height) < TINY_PX;
  return [
    ...(overhang > ROUNDING_PX ? (["box_over_border"] as const) : []),
    ...(overhang > 0 && overhang <= ROUNDING_PX ? (["rounded_box"] as const) : []),
    ...(isTiny ? (["tiny_box"] as const) : []),
    ...(!isTiny && aspectOf(box) > EXTREME_ASPECT ? (["extreme_aspect"] as const) : []),
    ...((objects.areas[object] as number) > AREA_SLACK * width * height ? (["area_over_box"] as const) : []),
  ];
}

function aspectOf([, , width, height]: BoxXywh): number {
  return Math.max(width / height, height / width);
}

/** Indices of the objects of an image that are no crowds, from left to right. */
function objectsByLeft({ objects }: SourceSet, first: number, end: number): number[] {
  const indices = Array.from({ length: end - first }, (_, index) => first + index);
  const left = (object: number): number => objects.boxesXywh[4 * object] as number;
  return indices.filter((object) => objects.isCrowd[object] === 0).sort((a, b) => left(a) - left(b));
}

/** Two boxes can only be nearly the same if their left sides are near each other, which spares looking at all pairs. */
function findTwins(set: SourceSet, image: number, byLeft: readonly number[], findings: FindingList): void {
  for (const [rank, object] of byLeft.entries()) {
    const [x, y, width, height] = boxAt(set.objects, object);
    const farthest = x + (1 - SAME_BOX_IOU) * width;
    for (let other = rank + 1; other < byLeft.length; other++) {
      const twin = byLeft[other] as number;
      if ((set.objects.boxesXywh[4 * twin] as number) > farthest) break;
      const iou = boxIou(toXyxy([x, y, width, height]), toXyxy(boxAt(set.objects, twin)));
      if (iou >= SAME_BOX_IOU) addTwins(set, image, object, twin, findings);
    }
  }
}

function addTwins(set: SourceSet, image: number, object: number, twin: number, findings: FindingList): void {
  const [first, second] = object < twin ? [object, twin] : [twin, object];
  const { classIndices } = set.objects;
  const kind = classIndices[first] === classIndices[second] ? "duplicate_box" : "box_of_two_classes";
  const text = `${describe(set, image, first)} and ${describe(set, image, second)}`;
  findings.add(kind, { text, image, objects: [first, second] });
}

function describe(set: SourceSet, image: number, object: number): string {
  const { file_name } = set.images[image] as SourceImage;
  const { objects, categories } = set;
  const name = categories[objects.classIndices[object] as number]?.name;
  return `${set.objectName(image, objects.sourceIds[object] as number)}: ${name} ${show(boxAt(objects, object))} in ${file_name}`;
}
