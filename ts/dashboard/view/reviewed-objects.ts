/** The objects of an image that is reviewed, with the masks that they came with. Pure functions. */
import { boxIou, toXyxy } from "../../core/boxes.js";
import type { ImageMask, ReviewedBox } from "../wire/labels.js";
import type { Box } from "./label-table.js";

/** Below this IoU with the box that a mask came in, a corrected box is another object's or shows that the mask is wrong. */
const LEAST_MASK_IOU = 0.7;

export interface EditedObject extends ReviewedBox {
  /** The mask that it came with, which counts while the box fits it. */
  readonly offered?: ImageMask | undefined;
}

/** Without a mask where its box no longer fits. */
export function toReviewed({ box_xywh, category_id, offered }: EditedObject): ReviewedBox {
  const box = { box_xywh, ...(category_id === undefined ? {} : { category_id }) };
  return offered !== undefined && fitsMask(box_xywh, offered) ? { ...box, mask: offered.counts } : box;
}

export function fitsMask(box: Box, { box_xywh }: ImageMask): boolean {
  return boxIou(toXyxy(box), toXyxy(box_xywh)) >= LEAST_MASK_IOU;
}

/** @param masks of the image, of which the reviewed one is one. */
export function fromReviewed(
  { mask, ...box }: ReviewedBox,
  masks: readonly (ImageMask | null)[] | undefined,
): EditedObject {
  const offered = masks?.find((offer) => offer !== null && offer.counts === mask) ?? undefined;
  return offered === undefined ? box : { ...box, offered };
}
