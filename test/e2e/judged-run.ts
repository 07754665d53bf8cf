/** A run with an evaluation, as a controller would have stored it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BoxXywh } from "../../ts/core/boxes.js";
import { sha256 } from "../../ts/core/hash.js";
import { storeImageTable } from "../../ts/data/image-table.js";
import type { LedgerLine } from "../../ts/data/ledger.js";
import { encodeManifest } from "../../ts/data/manifest.js";
import { encodeCounts, fromBox } from "../../ts/masks/index.js";
import { storeRun } from "../ts/dashboard/stored-run.js";
import { cellBox } from "../ts/evaluation/cells.js";
import type { Lab } from "./lab.js";

export const HOSTILE_CLASS = `<img src=x onerror="alert(1)">`;
const FILES = ["train-1.png", "train-2.png", "val-1.png"];
const CLASSES = [HOSTILE_CLASS, "red"];

/**
 * Three images with an object of each class. In each the first object is found; the second one is found in the first image, taken
 * for the first class in the second, and not detected in the third, where there is a detection of nothing.
 * @param withMasks which are the boxes.
 */
export async function storeJudgedRun(
  { controller, folder, config }: Lab,
  runId: string,
  withMasks = false,
): Promise<void> {
  const { state, artifacts } = controller.parts;
  const boxes = [cellBox(0), cellBox(6)] as const;
  const hashes = await Promise.all(FILES.map(async (name) => sha256(await readFile(join(folder, name)))));
  const size = { width_px: 64, height_px: 48 };
  const validation = encodeManifest({
    categories: CLASSES.map((name, index) => ({ id: index + 1, name })),
    images: FILES.map((file_name, index) => ({
      ...{ id: index + 1, file_name, sha256: hashes[index] as string, ...size },
      annotations: boxes.map((box_xywh, class_index) => {
        const object = { box_xywh, class_index, area: 256, iscrowd: false };
        return withMasks ? { ...object, mask: maskOf(box_xywh) } : object;
      }),
    })),
  });
  const detections = [
    ...FILES.map((_, index) => ({ image_id: index + 1, category_id: 1, bbox: boxes[0], score: 0.9 })),
    { image_id: 1, category_id: 2, bbox: boxes[1], score: 0.8 },
    { image_id: 2, category_id: 1, bbox: boxes[1], score: 0.95 },
    { image_id: 3, category_id: 2, bbox: cellBox(11), score: 0.85 },
  ];
  const found = detections.map((detection) => {
    const segmentation = { size: [size.height_px, size.width_px], counts: maskOf(detection.bbox) };
    return withMasks ? { ...detection, segmentation } : detection;
  });
  const lines = FILES.map((file_name, index): LedgerLine => {
    return { file_name, split: "validation", fate: "used", sha256: hashes[index] as string, ...size };
  });
  storeRun(state, runId, config, {
    curate: {
      validation: await artifacts.put(validation),
      image_table: await storeImageTable(artifacts, lines),
      image_root: folder,
    },
    "class_agnostic/evaluate": {
      detections: await artifacts.put(Buffer.from(JSON.stringify(found))),
      ...(withMasks ? { segm_ap: 0.5 } : {}),
    },
  });
}

function maskOf(box: BoxXywh): string {
  return encodeCounts(fromBox(box, 64, 48).counts);
}
