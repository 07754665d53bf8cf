/** What `cassl predict` writes. */
import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { toStorageError } from "../controller/storage.js";
import type { BoxXywh } from "../core/boxes.js";
import { writePieces } from "../data/formats/text-writer.js";
import { drawDetections } from "../evaluation/onnx/draw.js";
import type { ModelMetadata } from "../evaluation/onnx/model-metadata.js";
import type { Detected } from "../evaluation/onnx/session.js";
import { area, type CompressedRle, fromCompressed } from "../masks/index.js";
import { appearWhole } from "../report/write-whole.js";
import { withFreeSuffix } from "./free-suffix.js";

interface DetectedObject {
  readonly bbox: BoxXywh;
  readonly score: number;
  readonly classIndex: number;
  readonly segmentation?: CompressedRle;
}

function objectsIn({ image, detections }: Detected): DetectedObject[] {
  const { boxXywh, score, classIndex, masks } = detections;
  return Array.from(score, (value, at) => {
    const bbox = [...boxXywh.subarray(4 * at, 4 * at + 4)] as unknown as BoxXywh;
    const object = { bbox, score: value, classIndex: classIndex[at] as number };
    const counts = masks?.[at];
    return counts === undefined
      ? object
      : { ...object, segmentation: { size: [image.heightPx, image.widthPx], counts } };
  });
}

/** The text of a COCO data set whose annotations have scores, and masks if the model gives them. */
export function* cocoDocument(
  paths: readonly string[],
  detected: readonly Detected[],
  { categories }: ModelMetadata,
): Generator<string> {
  const images = detected.map(({ image: { widthPx, heightPx } }, index) => {
    return { id: index + 1, file_name: paths[index] as string, width: widthPx, height: heightPx };
  });
  yield `{"images":${JSON.stringify(images)},"categories":${JSON.stringify(categories)},"annotations":[`;
  let id = 0;
  for (const [index, image] of detected.entries()) {
    for (const { bbox, score, classIndex, segmentation } of objectsIn(image)) {
      const place = { id: ++id, image_id: index + 1, category_id: categories[classIndex]?.id, bbox };
      const pixels = segmentation === undefined ? bbox[2] * bbox[3] : area(fromCompressed(segmentation));
      const annotation = { ...place, area: pixels, iscrowd: 0, score, segmentation };
      yield `${id === 1 ? "" : ","}${JSON.stringify(annotation)}`;
    }
  }
  yield "]}\n";
}

/** Readers see the whole file or none. */
export async function writeDocument(path: string, pieces: Iterable<string>): Promise<void> {
  try {
    await appearWhole(path, (temporary) => writePieces(temporary, pieces));
  } catch (error) {
    throw toStorageError(error, `${path} cannot be written`);
  }
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
  const taken = new Set<string>();
  for (const [index, path] of paths.entries()) {
    const name = withFreeSuffix(basename(path, extname(path)), (candidate) => taken.has(candidate));
    taken.add(name);
    const objects = objectsIn(detected[index] as Detected).map(({ bbox, score, classIndex, segmentation }) => ({
      box_xywh: bbox,
      label: `${categories[classIndex]?.name ?? ""} ${score.toFixed(2)}`,
      classIndex,
      ...(segmentation === undefined ? {} : { mask: fromCompressed(segmentation) }),
    }));
    await drawDetections(path, objects, join(folder, `${name}.jpg`));
  }
}
