/** What `cassl predict` writes. */
import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { toStorageError } from "../controller/storage.js";
import { drawDetections } from "../evaluation/onnx/draw.js";
import type { ModelMetadata } from "../evaluation/onnx/model-metadata.js";
import type { Detected } from "../evaluation/onnx/session.js";
import { writeWhole } from "../report/write-whole.js";

/** A COCO data set whose annotations have scores. */
export function toCocoDocument(paths: readonly string[], detected: readonly Detected[], { categories }: ModelMetadata) {
  const rows = detected.flatMap(({ detections: { boxXywh, score, classIndex } }, image) =>
    Array.from(score, (value, i) => ({
      image,
      value,
      bbox: [...boxXywh.subarray(4 * i, 4 * i + 4)],
      index: classIndex[i],
    })),
  );
  return {
    images: detected.map(({ image: { widthPx, heightPx } }, index) => {
      return { id: index + 1, file_name: paths[index] as string, width: widthPx, height: heightPx };
    }),
    categories,
    annotations: rows.map(({ image, value, bbox: [x = 0, y = 0, width = 0, height = 0], index }, id) => ({
      id: id + 1,
      image_id: image + 1,
      category_id: categories[index as number]?.id as number,
      bbox: [x, y, width, height],
      area: width * height,
      iscrowd: 0,
      score: value,
    })),
  };
}

/** Readers see the whole file or none. */
export async function writeDocument(path: string, text: string): Promise<void> {
  await writeWhole(path, text).catch((error: unknown) => {
    throw toStorageError(error, `${path} cannot be written`);
  });
}

/** Images of one name in several folders get numbers. */
export async function drawAll(
  paths: readonly string[],
  detected: readonly Detected[],
  { categories }: ModelMetadata,
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw toStorageError(error, `${folder} cannot be written`);
  });
  const taken = new Map<string, number>();
  for (const [index, path] of paths.entries()) {
    const name = basename(path, extname(path));
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    const { boxXywh, score, classIndex } = (detected[index] as Detected).detections;
    const boxes = Array.from(score, (value, i) => ({
      box_xywh: [...boxXywh.subarray(4 * i, 4 * i + 4)] as unknown as readonly [number, number, number, number],
      label: `${categories[classIndex[i] as number]?.name ?? ""} ${value.toFixed(2)}`,
      classIndex: classIndex[i] as number,
    }));
    await drawDetections(path, boxes, join(folder, `${name}${count === 1 ? "" : `-${count}`}.jpg`));
  }
}
