/** The sizes of a dataset's images, and whether predicted boxes lie inside them. */
import type { Dataset } from "../core/dataset.js";
import type { PredictionColumns } from "../labels/frame.js";

export interface ImageSizes {
  readonly imageCount: number;
  /** (I, 2) width and height in px. */
  readonly sizesPx: Int32Array;
}

export function imageSizes({ images }: Dataset): ImageSizes {
  const sizesPx = Int32Array.from(images.flatMap(({ width_px, height_px }) => [width_px, height_px]));
  return { imageCount: images.length, sizesPx };
}

/** Says which box is not inside its image, or has no area. Undefined if all are right. */
export function findBoxOutside(columns: PredictionColumns, { sizesPx }: ImageSizes): string | undefined {
  const { imageIndex, boxesPerImage, boxXyxy } = columns;
  let box = 0;
  for (const [row, image] of imageIndex.entries()) {
    const [widthPx, heightPx] = [sizesPx[2 * image] as number, sizesPx[2 * image + 1] as number];
    for (const end = box + (boxesPerImage[row] as number); box < end; box++) {
      const corners = boxXyxy.subarray(4 * box, 4 * box + 4);
      const [left, top, right, bottom] = corners as unknown as [number, number, number, number];
      if (left >= 0 && top >= 0 && left < right && top < bottom && right <= widthPx && bottom <= heightPx) continue;
      return `its box [${corners.join(", ")}] is not inside image ${image} of ${widthPx} x ${heightPx} px`;
    }
  }
  return undefined;
}
