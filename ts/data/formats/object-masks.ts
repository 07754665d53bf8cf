/** Masks of annotated objects, from the form of their file to the one of manifests. */
import type { Annotation } from "../../core/dataset.js";
import { CasslError } from "../../core/errors.js";
import { encodeCounts, fromSegmentation, type Segmentation } from "../../masks/index.js";
import { failOnFaults } from "../faults.js";
import { show } from "./show.js";
import type { ListedImage, ListedObject } from "./source-set.js";

const REMEDY =
  "COCO files (polygons or RLE) and YOLO labels (polygons) hold masks: correct them there, or choose a detector family without masks.";

/**
 * The same images, whose objects have a `mask` in place of a `segmentation`.
 * ANNOTATIONS_INVALID names the first objects whose segmentation cannot be read, or which lack one but need it.
 * @param name of the set, for the message.
 */
export function withMasks(
  images: readonly ListedImage[],
  name: string,
  needsMask: (object: Annotation) => boolean,
): ListedImage[] {
  const faults: string[] = [];
  const masked = images.map((image) => {
    const annotations = image.annotations.map((object): ListedObject => {
      const made = maskOf(object, image, needsMask);
      if (made.fault !== undefined)
        faults.push(`${image.file_name}: the object ${show(object.box_xywh)} ${made.fault}`);
      const { segmentation: _, ...rest } = object;
      return made.mask === undefined ? rest : { ...rest, mask: made.mask };
    });
    return { ...image, annotations };
  });
  failOnFaults("ANNOTATIONS_INVALID", `Masks in the ${name} set that are missing or cannot be read`, faults, REMEDY);
  return masked;
}

function maskOf(
  object: ListedObject,
  { width_px, height_px }: ListedImage,
  needsMask: (object: Annotation) => boolean,
): { readonly mask?: string; readonly fault?: string } {
  const { segmentation } = object;
  if (segmentation === undefined) return needsMask(object) ? { fault: "has no segmentation" } : {};
  try {
    const rle = fromSegmentation(JSON.parse(segmentation) as Segmentation, width_px, height_px);
    return { mask: encodeCounts(rle.counts) };
  } catch (error) {
    return { fault: `has a wrong segmentation: ${CasslError.from(error).message}` };
  }
}
