/** What a conversion could not keep. */
import type { AnnotatedSet, ListedObject, WrittenFormat } from "../formats/source-set.js";
import type { ImageFiles } from "./place-images.js";

export function describeLosses(set: AnnotatedSet, to: WrittenFormat, imageFiles: ImageFiles): string[] {
  const { images, maskCount, imageFolder } = set;
  const objects = images.flatMap(({ annotations }) => annotations);
  const crowds = objects.filter(({ iscrowd }) => iscrowd).length;
  const areas = objects.filter(hasOwnArea).length;
  const boxOnly = to !== "coco";
  return [
    ...(boxOnly && maskCount > 0
      ? [`the ${maskCount} masks of the source are not written: of each object, only the box is`]
      : []),
    ...(boxOnly && areas > 0 ? [`${areas} areas that are not those of the boxes are not written`] : []),
    ...(to === "yolo" && crowds > 0 ? [`${crowds} crowds are not written: YOLO has no sign for them`] : []),
    ...(imageFolder === undefined && imageFiles !== "none"
      ? ["only annotations are written: it is not known where the images are"]
      : []),
  ];
}

/** Up to what adding and subtracting the sides may have rounded. */
function hasOwnArea({ area, box_xywh: [, , width, height] }: ListedObject): boolean {
  return Math.abs(area - width * height) > 1e-6 * Math.max(1, area);
}
