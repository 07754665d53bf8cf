/** Fits every box of a source into its image: what comes out can be trained on. */
import type { BoxXywh } from "../../core/boxes.js";
import { type BadBoxes, type BoxCounts, fitBox } from "../box-policy.js";
import { failOnFaults } from "../faults.js";
import { boxAt } from "./object-table.js";
import { show } from "./show.js";
import type { AnnotatedSet, ListedImage, ListedObject, SourceImage, SourceSet } from "./source-set.js";

/** What became of the boxes so far. */
interface Tally {
  readonly counts: { -readonly [outcome in keyof BoxCounts]: number };
  refused: number;
  /** The first of those that were refused, in words. */
  readonly examples: string[];
}

const MOST_EXAMPLES = 5;

/** ANNOTATIONS_INVALID with the first boxes that leave their image or have no area, if the policy is to refuse them. */
export function fitSet(set: SourceSet, badBoxes: BadBoxes): AnnotatedSet {
  const tally: Tally = { counts: { rounded: 0, clipped: 0, dropped: 0 }, refused: 0, examples: [] };
  const images = set.images.map((image, index): ListedImage => {
    return { ...image, annotations: fitObjects(set, index, badBoxes, tally) };
  });
  const remedy = "Correct the boxes, or set `data.bad_boxes` (for `cassl convert`: --bad-boxes) to clip or drop them.";
  failOnFaults("ANNOTATIONS_INVALID", set.name, tally.examples, remedy, tally.refused);
  const { format, imageFolder, categories, maskCount } = set;
  return { format, imageFolder, categories, images, boxes: tally.counts, maskCount };
}

function fitObjects(set: SourceSet, imageIndex: number, badBoxes: BadBoxes, tally: Tally): ListedObject[] {
  const { starts } = set.objects;
  const fitted: ListedObject[] = [];
  for (let object = starts[imageIndex] as number; object < (starts[imageIndex + 1] as number); object++) {
    const one = fitObject(set, imageIndex, object, badBoxes, tally);
    if (one !== undefined) fitted.push(one);
  }
  return fitted;
}

/** An object is no larger than its box, if that was clipped. */
function fitObject(
  set: SourceSet,
  imageIndex: number,
  object: number,
  badBoxes: BadBoxes,
  tally: Tally,
): ListedObject | undefined {
  const { width_px, height_px } = set.images[imageIndex] as SourceImage;
  const box = boxAt(set.objects, object);
  const area = set.objects.areas[object] as number;
  // Most boxes do, and of millions it is quicker to know.
  if (liesWithin(set.objects.boxesXywh, object, width_px, height_px)) return listed(set.objects, object, box, area);
  const fit = fitBox(box, width_px, height_px, badBoxes);
  if (fit.outcome === "refused") refuse(set, imageIndex, object, fit.fault, tally);
  else if (fit.outcome !== "kept") tally.counts[fit.outcome]++;
  if (!("box" in fit)) return undefined;
  return listed(set.objects, object, fit.box, Math.min(area, fit.box[2] * fit.box[3]));
}

function refuse(set: SourceSet, imageIndex: number, object: number, fault: string, tally: Tally): void {
  if (++tally.refused > MOST_EXAMPLES) return;
  const { file_name, width_px, height_px } = set.images[imageIndex] as SourceImage;
  const name = set.objectName(imageIndex, set.objects.sourceIds[object] as number);
  const box = show(boxAt(set.objects, object));
  tally.examples.push(`${name}: the box ${box} ${fault} (${file_name}, ${width_px} x ${height_px} px)`);
}

function liesWithin(boxesXywh: Float64Array, object: number, widthPx: number, heightPx: number): boolean {
  const x = boxesXywh[4 * object] as number;
  const y = boxesXywh[4 * object + 1] as number;
  const width = boxesXywh[4 * object + 2] as number;
  const height = boxesXywh[4 * object + 3] as number;
  return x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= widthPx && y + height <= heightPx;
}

function listed(
  { classIndices, isCrowd, segmentations }: SourceSet["objects"],
  object: number,
  box: BoxXywh,
  area: number,
): ListedObject {
  const segmentation = segmentations?.[object];
  const plain = { box_xywh: box, class_index: classIndices[object] as number, area, iscrowd: isCrowd[object] === 1 };
  return segmentation === undefined ? plain : { ...plain, segmentation };
}
