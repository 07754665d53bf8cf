/** A run that has predicted on thousands of images, as a controller would have stored it. */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { seededRandom } from "../../ts/core/random.js";
import type { CuratedData } from "../../ts/data/curate.js";
import { storeImageTable } from "../../ts/data/image-table.js";
import type { LedgerLine } from "../../ts/data/ledger.js";
import { encodeManifest } from "../../ts/data/manifest.js";
import { encodeCounts, fromPolygon } from "../../ts/masks/index.js";
import { storeRun } from "../ts/dashboard/stored-run.js";
import { type Prediction, storePredictions } from "../ts/labels/fixtures.js";
import type { Lab } from "./lab.js";

const BOXES = 8;
const COPIED = 60;

/** Of the classes of the lab's project. Only the first images have files of their own. @param predict gives the boxes of an image. */
export async function storeManyImages(
  lab: Lab,
  runId: string,
  count: number,
  predict: () => Prediction[] = scatteredBoxes(),
): Promise<void> {
  const { state, artifacts } = lab.controller.parts;
  const folder = join(lab.folder, "many");
  await mkdir(folder, { recursive: true });
  const names = Array.from({ length: count }, (_, index) => `many/${String(index).padStart(5, "0")}.png`);
  for (const name of names.slice(0, COPIED)) await copyFile(join(lab.folder, "train-1.png"), join(lab.folder, name));
  const images = names.map((file_name, index) => ({
    id: index + 1,
    file_name: index < COPIED ? file_name : (names[index % COPIED] as string),
    sha256: String(index % COPIED).padStart(64, "0"),
    width_px: 64,
    height_px: 48,
    annotations: [],
  }));
  const unlabeled = await artifacts.put(encodeManifest({ categories: [], images }));
  const shard = images.map((_, index) => ({
    index,
    predictions: predict(),
  }));
  const predictions = await storePredictions([shard], artifacts, 1);
  const labeledCategories = encodeManifest({
    categories: [
      { id: 3, name: "blue" },
      { id: 7, name: "red" },
    ],
    images: [],
  });
  const labeled = await artifacts.put(labeledCategories);
  const lines = images.map(({ file_name, sha256, width_px, height_px }): LedgerLine => {
    return { file_name, split: "unlabeled", fate: "used", sha256, width_px, height_px };
  });
  const image_table = await storeImageTable(artifacts, lines);
  const curated: Partial<CuratedData> = {
    ...{ labeled, unlabeled, validation: labeled, image_table },
    image_root: lab.folder,
  };
  storeRun(state, runId, lab.config, { curate: curated, "class_agnostic/predict": predictions });
}

function scatteredBoxes(): () => Prediction[] {
  const random = seededRandom(3);
  return () =>
    Array.from({ length: BOXES }, (_, box) => {
      const [x, y] = [6 * box, Math.floor(30 * random())];
      return { box: [x, y, x + 5, y + 12], score: 1 - (box + random()) / BOXES, classIndex: 0 };
    });
}

/** A triangle of 20 by 20 px and a rectangle of 10 by 20, with their masks. */
export function maskedBoxes(): Prediction[] {
  const mask = (polygon: number[]): string => encodeCounts(fromPolygon(polygon, 64, 48).counts);
  return [
    { box: [10, 10, 30, 30], score: 0.9, classIndex: 0, mask: mask([10, 10, 30, 10, 30, 30]) },
    { box: [40, 20, 50, 40], score: 0.8, classIndex: 0, mask: mask([40, 20, 50, 20, 50, 40, 40, 40]) },
  ];
}
