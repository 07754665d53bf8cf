/** Fits every box of a source into its image: what comes out can be trained on. */
import type { BoxXywh } from "../../core/boxes.js";
import { type BadBoxes, type BoxCounts, type FittedBox, fitBox } from "../box-policy.js";
import { failOnFaults } from "../faults.js";
import { boxAt } from "./object-table.js";
import { show } from "./show.js";
import type { AnnotatedSet, ListedImage, ListedObject, SourceImage, SourceSet } from "./source-set.js";

type Counts = { -readonly [outcome in keyof BoxCounts]: number };
type BoxFault = (image: SourceImage, imageIndex: number, sourceId: number, box: BoxXywh, fault: string) => void;

const MOST_EXAMPLES = 5;

/** ANNOTATIONS_INVALID with the first boxes that leave their image or have no area, if the policy is to refuse them. */
export function fitSet(set: SourceSet, badBoxes: BadBoxes): AnnotatedSet {
  const counts: Counts = { rounded: 0, clipped: 0, dropped: 0 };
  const examples: string[] = [];
  let refused = 0;
  const onFault: BoxFault = ({ file_name, width_px, height_px }, imageIndex, sourceId, box, fault) => {
    if (++refused > MOST_EXAMPLES) return;
    const name = set.objectName(imageIndex, sourceId);
    examples.push(`${name}: the box ${show(box)} ${fault} (${file_name}, ${width_px} x ${height_px} px)`);
  };
  const images = set.images.map((image, index) => fitImage(set, image, index, badBoxes, counts, onFault));
  const remedy = "Correct the boxes, or set `data.bad_boxes` (for `cassl convert`: --bad-boxes) to clip or drop them.";
  failOnFaults("ANNOTATIONS_INVALID", set.name, examples, remedy, refused);
  const { format, imageFolder, categories, maskCount } = set;
  return { format, imageFolder, categories, images, boxes: counts, maskCount };
}

function fitImage(
  { objects }: SourceSet,
  image: SourceImage,
  imageIndex: number,
  badBoxes: BadBoxes,
  counts: Counts,
  onFault: BoxFault,
): ListedImage {
  const annotations: ListedObject[] = [];
  const end = objects.starts[imageIndex + 1] as number;
  for (let object = objects.starts[imageIndex] as number; object < end; object++) {
    const box = boxAt(objects, object);
    const fit = fitBox(box, image.width_px, image.height_px, badBoxes);
    if (fit.outcome === "refused") onFault(image, imageIndex, objects.sourceIds[object] as number, box, fit.fault);
    else if (fit.outcome !== "kept") counts[fit.outcome]++;
    if ("box" in fit) annotations.push(listed(objects, object, fit));
  }
  return { ...image, annotations };
}

/** An object is no larger than its box, if that was clipped. */
function listed(
  { classIndices, areas, isCrowd, segmentations }: SourceSet["objects"],
  object: number,
  { outcome, box }: Extract<FittedBox, { box: BoxXywh }>,
): ListedObject {
  const area = areas[object] as number;
  const segmentation = segmentations?.[object];
  return {
    box_xywh: box,
    class_index: classIndices[object] as number,
    area: outcome === "kept" ? area : Math.min(area, box[2] * box[3]),
    iscrowd: isCrowd[object] === 1,
    ...(segmentation === undefined ? {} : { segmentation }),
  };
}
