/** Small data sets for diagnosis: random ones, and single objects placed by hand. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { seededRandom } from "../../../../ts/core/random.js";
import {
  type CocoAnnotation,
  type CocoGroundTruth,
  type CocoMatches,
  type CocoResult,
  type CocoResults,
  type EvaluateCocoOptions,
  evaluateCoco,
} from "../../../../ts/evaluation/coco/index.js";

const NAMES = ["cat", "dog", "owl"];

export interface DataSet {
  readonly groundTruth: CocoGroundTruth;
  readonly results: CocoResults;
}

/** Classes 1 to 3; the last has no ground truth. Detections are moved, misnamed, twice or from nowhere. Scores differ. */
export function randomDataSet(seed: number, images = 6): DataSet {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => low + random() * (high - low);
  const annotations: CocoAnnotation[] = [];
  const results: CocoResult[] = [];
  for (let image = 1; image <= images; image++) {
    for (let n = Math.floor(between(0, 6)); n > 0; n--) {
      const box = [between(0, 300), between(0, 300), between(10, 120), between(10, 120)];
      const category = random() < 0.5 ? 1 : 2;
      const iscrowd = random() < 0.1 ? 1 : 0;
      const area = (box[2] as number) * (box[3] as number);
      annotations.push({
        id: annotations.length + 1,
        image_id: image,
        category_id: category,
        bbox: box,
        area,
        iscrowd,
      });
      for (let copies = Math.floor(between(0, 3)); copies > 0; copies--) {
        const reach = random() < 0.5 ? 3 : 30;
        const bbox = box.map((side, i) => Math.max(side + between(-reach, reach), i < 2 ? 0 : 5));
        const named = random() < 0.75 ? category : Math.ceil(between(0, 3));
        results.push({ image_id: image, category_id: named, bbox, score: random() });
      }
    }
    results.push({ image_id: image, category_id: 1, bbox: [between(0, 300), 0, 40, 40], score: random() });
  }
  return { groundTruth: { images: idsTo(images), categories: namedClasses(3), annotations }, results };
}

export async function matchesOf(
  { groundTruth, results }: DataSet,
  options: EvaluateCocoOptions = {},
): Promise<CocoMatches> {
  return (await evaluateCoco(groundTruth, results, { ...options, matches: true })).matches;
}

/**
 * Objects and detections with two images and the classes cat, dog and owl. Each is "image class x y width height", such as
 * "1 cat 100 0 40 40"; y is 0 and the sides are 40 px unless given. Detections are by descending score: 0.9, 0.89 and so on.
 */
export function placed(objects: string, detections: string): DataSet {
  const annotations = boxesIn(objects).map((box, row) => ({ ...box, id: row + 1, area: 1600 }));
  const results = boxesIn(detections).map((box, row) => ({ ...box, score: (90 - row) / 100 }));
  return { groundTruth: { images: idsTo(2), categories: namedClasses(3), annotations }, results };
}

function boxesIn(text: string): { image_id: number; category_id: number; bbox: number[] }[] {
  return text.split(", ").map((placing) => {
    const [image, name = "", x, y = 0, width = 40, height = 40] = placing.split(" ");
    return { image_id: Number(image), category_id: NAMES.indexOf(name) + 1, bbox: [x, y, width, height].map(Number) };
  });
}

export const parity = {
  gt: join(packageRoot, "../shared/data/coco-parity/instances_val2014_100.json"),
  dt: join(packageRoot, "../shared/data/coco-parity/instances_val2014_fakebbox100_results.json"),
};

/** Why a test on the detections of the COCO API cannot run, or undefined if it can. */
export function missingParity(): string | undefined {
  return existsSync(parity.gt) ? undefined : `${parity.gt} is not there`;
}

function idsTo(count: number): { id: number }[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1 }));
}

function namedClasses(count: number): { id: number; name: string }[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, name: NAMES[i] ?? "" }));
}
