/**
 * What `import "cassl/masks"` gives: pycocotools' mask API in TypeScript, on runs of pixels.
 * @module cassl/masks
 */
export { decodeCounts, encodeCounts } from "./counts-string.js";
export { iou } from "./iou.js";
export { intersection, union } from "./merge.js";
export { toBox } from "./outline.js";
export { fromBox, fromPolygon } from "./polygon.js";
export { area, type Bitmap, decode, encode, type Rle } from "./rle.js";
export {
  type CompressedRle,
  fromCompressed,
  fromSegmentation,
  fromUncompressed,
  type Polygons,
  type Segmentation,
  toCompressed,
  toUncompressed,
  type UncompressedRle,
} from "./segmentation.js";
