/** Masks from their JSON, without parsing it to objects where it is in a usual form. */
import { readSegmentation, type Segmentation } from "../../../masks/segmentation.js";
import { type Mask, maskKernel } from "../mask-kernel.js";

/** The mask of a `segmentation`, in the kernel; see `Segmentations`. */
export function maskOfJson(json: Uint8Array, width: number, height: number): Mask {
  const kernel = maskKernel();
  const mask = kernel.ofJson(json, width, height);
  return mask === 0 ? kernel.ofRle(readSegmentation(parsed(json), width, height)) : mask;
}

/** The text itself where it is not JSON to JavaScript, as NaN is not: that is no mask either. */
function parsed(json: Uint8Array): Segmentation {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  try {
    return JSON.parse(text) as Segmentation;
  } catch {
    return text as unknown as Segmentation;
  }
}
