/** Counts of a data set. Pure functions on its columns. */
import type { ObjectTable } from "../formats/object-table.js";
import type { SourceSet } from "../formats/source-set.js";

export interface ClassStatistics {
  readonly id: number;
  readonly name: string;
  /** Without crowds. */
  readonly objects: number;
  readonly crowds: number;
  /** Images with an object of the class. */
  readonly images: number;
  /** Of the square root of the area of the boxes; 0 if there are none. */
  readonly median_side_px: number;
}

/** Boxes by the square root of their area: up to below `below_px`; the last has no end. */
export interface SizeBin {
  readonly below_px: number | null;
  readonly objects: number;
}

export interface Statistics {
  readonly images: number;
  readonly empty_images: number;
  /** Without crowds. */
  readonly objects: number;
  readonly crowds: number;
  readonly masks: number;
  /** Of one image, crowds included. */
  readonly most_objects: number;
  readonly classes: readonly ClassStatistics[];
  readonly sizes: readonly SizeBin[];
}

const BIN_ENDS_PX = [8, 16, 32, 64, 128, 256, 512];

export function countAll({ images, categories, objects, maskCount }: SourceSet): Statistics {
  const perImage = images.map((_, index) => (objects.starts[index + 1] as number) - (objects.starts[index] as number));
  const sides = sidesOf(objects);
  const crowds = objects.isCrowd.reduce((count, isCrowd) => count + isCrowd, 0);
  return {
    images: images.length,
    empty_images: perImage.filter((count) => count === 0).length,
    objects: sides.length - crowds,
    crowds,
    masks: maskCount,
    most_objects: perImage.reduce((most, count) => Math.max(most, count), 0),
    classes: countClasses(categories, objects, sides),
    sizes: countSizes(objects, sides),
  };
}

/** (N) square roots of the areas of the boxes, in px; 0 for a box without area. */
function sidesOf({ boxesXywh, classIndices }: ObjectTable): Float64Array {
  return Float64Array.from(classIndices, (_, object) => {
    const width = boxesXywh[4 * object + 2] as number;
    const height = boxesXywh[4 * object + 3] as number;
    return Math.sqrt(Math.max(width, 0) * Math.max(height, 0));
  });
}

function countClasses(
  categories: SourceSet["categories"],
  { starts, classIndices, isCrowd }: ObjectTable,
  sides: Float64Array,
): ClassStatistics[] {
  const counts = categories.map(() => ({ crowds: 0, images: 0, lastImage: -1, sides: [] as number[] }));
  for (let image = 0; image + 1 < starts.length; image++) {
    for (let object = starts[image] as number; object < (starts[image + 1] as number); object++) {
      const count = counts[classIndices[object] as number] as (typeof counts)[number];
      if (isCrowd[object] === 1) count.crowds++;
      else count.sides.push(sides[object] as number);
      if (isCrowd[object] === 0 && count.lastImage !== image) count.images++;
      if (isCrowd[object] === 0) count.lastImage = image;
    }
  }
  return categories.map(({ id, name }, index) => {
    const { crowds, images, sides: own } = counts[index] as (typeof counts)[number];
    return { id, name, objects: own.length, crowds, images, median_side_px: median(own) };
  });
}

function countSizes({ isCrowd }: ObjectTable, sides: Float64Array): SizeBin[] {
  const counts = [...BIN_ENDS_PX, null].map(() => 0);
  sides.forEach((side, object) => {
    const bin = BIN_ENDS_PX.findIndex((end) => side < end);
    if (isCrowd[object] === 0) counts[bin === -1 ? BIN_ENDS_PX.length : bin]!++;
  });
  return counts.map((objects, bin) => ({ below_px: BIN_ENDS_PX[bin] ?? null, objects }));
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
