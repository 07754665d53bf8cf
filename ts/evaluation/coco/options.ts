/** What can be chosen about an evaluation, and pycocotools' defaults. */
import { CasslError } from "../../core/errors.js";
import type { IouType } from "./coco-format.js";
import type { GroundTruth } from "./input/ground-truth.js";

export interface EvaluateCocoOptions {
  /** @default "bbox" */
  readonly iouType?: IouType;
  /** False: class-agnostic, detections may match ground truth of any class. @default true */
  readonly useCats?: boolean;
  /** How many of an image's best detections (per class) count; sorted ascending. @default [1, 10, 100] */
  readonly maxDets?: readonly number[];
  /** Both ends belong to the range. @default all, small, medium, large */
  readonly areaRanges?: readonly AreaRange[];
  /** @default .5, .55, ..., .95 as numpy.linspace gives them */
  readonly iouThresholds?: ArrayLike<number>;
  /** @default all images of the ground truth */
  readonly imageIds?: readonly number[];
  /** @default all categories of the ground truth. With `useCats: false`, equal scores of an image are taken in this order. */
  readonly categoryIds?: readonly number[];
  /** True: the result has `matches`, for diagnosis. All masks of an image are compared then. @default false */
  readonly matches?: boolean;
  /**
   * True: images are annotated for some classes only, as in LVIS. `maxDets` is [300] by default, its largest is the number of
   * detections of an image over all classes, and the result has `lvis`. @default false
   */
  readonly federated?: boolean;
}

export interface AreaRange {
  readonly name: string;
  /** Square px. */
  readonly min: number;
  readonly max: number;
}

/** Everything decided: the axes of the result. */
export interface Axes {
  /** T. */
  readonly iouThresholds: Float64Array;
  /** R. */
  readonly recallThresholds: Float64Array;
  /** K. [-1] with `useCats: false`. */
  readonly categoryIds: readonly number[];
  /** A. */
  readonly areaRanges: readonly AreaRange[];
  /** M, ascending. */
  readonly maxDets: readonly number[];
}

export interface Parameters {
  readonly iouType: IouType;
  readonly axes: Axes;
  readonly useCats: boolean;
  /** Evaluated images, ascending. */
  readonly imageIds: readonly number[];
  /** Evaluated categories in the order in which they are concatenated; those of `axes` with `useCats`. */
  readonly categoryIds: readonly number[];
  /** Whether to record matches, for which `axes` has the area range "all". */
  readonly matches: boolean;
}

const LARGEST_AREA = 1e5 ** 2;

const defaultAreaRanges: readonly AreaRange[] = [
  { name: "all", min: 0, max: LARGEST_AREA },
  { name: "small", min: 0, max: 32 ** 2 },
  { name: "medium", min: 32 ** 2, max: 96 ** 2 },
  { name: "large", min: 96 ** 2, max: LARGEST_AREA },
];

/** As numpy.linspace computes them, to the last bit: the ninth threshold is 0.8999999999999999, and 7 of 20 miss the recall 0.35. */
const defaultIouThresholds = linspace(0.5, 0.95, 10);
const recallThresholds = linspace(0, 1, 101);

/** CONFIG_INVALID for an option that means nothing. */
export function resolveOptions(gt: GroundTruth, options: EvaluateCocoOptions): Parameters {
  checkOptions(options);
  const useCats = options.useCats ?? true;
  const imageIds = ascending(options.imageIds ?? gt.images.id);
  const chosen = options.categoryIds;
  const categoryIds =
    chosen && !useCats ? [...new Set(chosen)] : ascending(chosen ?? gt.categories.map(({ id }) => id));
  const axes: Axes = {
    iouThresholds: Float64Array.from(options.iouThresholds ?? defaultIouThresholds),
    recallThresholds,
    categoryIds: useCats ? categoryIds : [-1],
    areaRanges: options.areaRanges ?? defaultAreaRanges,
    maxDets: [...(options.maxDets ?? (options.federated ? [300] : [1, 10, 100]))].sort((a, b) => a - b),
  };
  return {
    iouType: options.iouType ?? "bbox",
    axes,
    useCats,
    imageIds,
    categoryIds,
    matches: options.matches === true,
  };
}

function checkOptions(options: EvaluateCocoOptions): void {
  const { iouType, maxDets, areaRanges, iouThresholds } = options;
  checkCombination(options);
  if (iouType !== undefined && iouType !== "bbox" && iouType !== "segm") {
    throw invalid(`iouType is ${JSON.stringify(iouType)}.`, 'Set it to "bbox" or "segm".');
  }
  if (maxDets?.length === 0 || maxDets?.some((count) => !Number.isInteger(count) || count < 0)) {
    throw invalid(`maxDets is ${JSON.stringify(maxDets)}.`, "Give at least one whole number, none below 0.");
  }
  if (new Set(areaRanges?.map((range) => range.name)).size !== (areaRanges?.length ?? 0)) {
    throw invalid(
      `areaRanges names ${areaRanges?.map((range) => range.name).join(", ")}.`,
      "Name each range differently.",
    );
  }
  if (iouThresholds !== undefined && !Array.from(iouThresholds).every(Number.isFinite)) {
    throw invalid(`iouThresholds is ${Array.from(iouThresholds).join(", ")}.`, "Give numbers only.");
  }
}

function checkCombination({ matches, areaRanges, federated, useCats }: EvaluateCocoOptions): void {
  if (matches && areaRanges?.every(({ name }) => name !== "all")) {
    throw invalid(
      `Matches are those of the area range "all", but areaRanges names ${areaRanges.map(({ name }) => name).join(", ")}.`,
      'Name a range "all", or leave `matches` out.',
    );
  }
  if (federated && useCats === false) {
    throw invalid(
      "Federated ground truth says what was annotated by class, but useCats is false.",
      "Drop one of them.",
    );
  }
}

function invalid(message: string, remedy: string): CasslError {
  return new CasslError("CONFIG_INVALID", message, remedy);
}

function ascending(ids: Iterable<number>): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

function linspace(start: number, stop: number, count: number): Float64Array {
  const step = (stop - start) / (count - 1);
  return Float64Array.from({ length: count }, (_, k) => (k === count - 1 ? stop : start + k * step));
}
