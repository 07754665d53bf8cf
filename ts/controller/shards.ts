/** Prediction shards: checked, stored as artifacts and committed one by one, so that none is lost or counted twice. */
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import { decodeManifest } from "../data/manifest.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { PredictionManifest, ShardHeader } from "../gen/cassl/v1/prediction_frame.js";
import type { PredictTask } from "../gen/cassl/v1/task.js";
import { decodeShard, type PredictionColumns } from "../labels/frame.js";
import { writeShard } from "../labels/store.js";
import { type FrameSources, invalidFrame, taskOfFrame } from "./frame-sender.js";
import { findBoxOutside, type ImageSizes, imageSizes } from "./image-sizes.js";
import type { TaskTable } from "./state.js";
import { imagesOf } from "./tasks/labelling.js";

export interface ShardLedger {
  /** Images of the task's dataset. */
  imageCountOf(task: PredictTask): Promise<number>;
  /**
   * Stores the shard and records it, unless it is recorded already.
   * FRAME_INVALID if it is not what the task is to give; see `taskOfFrame` for what else is refused.
   */
  commit(header: ShardHeader, payload: Uint8Array): Promise<"committed" | "repeated" | "deferred">;
  /**
   * Closes the account of a finished task. INTERNAL if an image is missing or there twice.
   */
  settle(taskId: string, task: PredictTask): Promise<SettledAccount>;
}

/** images_in = images_committed. */
export interface SettledAccount {
  readonly manifest: ArtifactRef;
  /** Of the shards. */
  readonly parts: readonly Pick<ArtifactRef, "sha256">[];
  readonly images_in: number;
  readonly images_committed: number;
  readonly shards: number;
  readonly boxes: number;
}

export function createShardLedger(state: TaskTable, artifacts: ArtifactStore, sources: FrameSources): ShardLedger {
  const sizes = new Map<string, ImageSizes>();

  async function sizesOf(dataset: string): Promise<ImageSizes> {
    const known = sizes.get(dataset);
    if (known !== undefined) return known;
    const found = imageSizes(decodeManifest(await artifacts.read(dataset)));
    sizes.set(dataset, found);
    return found;
  }

  return {
    imageCountOf: async ({ dataset }) => (await sizesOf(dataset)).imageCount,

    async commit(header, payload) {
      const { task_id, attempt, shard, image_count, box_count } = header;
      const task = taskOfFrame(header, sources);
      if (task === undefined) return "deferred";
      if (state.findShard(task_id, shard) !== undefined) {
        sources.tasks.noteShard({ task_id, attempt }, shard);
        return "repeated";
      }
      const { dataset, weights } = task;
      const columns = checkShard(header, payload, task, await sizesOf(dataset));
      const ref = await artifacts.putFile((file) => writeShard(file, columns, { dataset, model: weights, shard }));
      state.addShard(task_id, { shard, image_count, box_count, sha256: ref.sha256 });
      sources.tasks.noteShard({ task_id, attempt }, shard);
      return "committed";
    },

    async settle(taskId, { dataset, predict, weights, class_count, masks }) {
      const shards = state.shardsOf(taskId);
      const { imageCount } = await sizesOf(dataset);
      const size = predict?.shard_size ?? 1;
      const due = Math.ceil(imageCount / size);
      for (let shard = 0; shard < due; shard++) {
        const { shard: found, image_count = 0 } = shards[shard] ?? {};
        if (found !== shard || image_count !== imagesOf(shard, imageCount, size))
          throw incomplete(taskId, shard, shards.length, due);
      }
      const images_committed = sum(shards, ({ image_count }) => image_count);
      if (shards.length !== due || images_committed !== imageCount) throw incomplete(taskId, due, shards.length, due);
      const model = { model: weights, class_count, masks };
      const content: PredictionManifest = { dataset, shards, image_count: imageCount, ...model };
      const manifest = await artifacts.put(Buffer.from(canonicalJson(content)));
      const boxes = sum(shards, ({ box_count }) => box_count);
      const parts = shards.map(({ sha256 }) => ({ sha256 }));
      return { manifest, parts, images_in: imageCount, images_committed, shards: due, boxes };
    },
  };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

/**
 * The columns of a shard that is what the task is to give, else FRAME_INVALID.
 * @param sizes of the whole dataset.
 */
function checkShard(header: ShardHeader, payload: Uint8Array, task: PredictTask, sizes: ImageSizes): PredictionColumns {
  const { imageCount } = sizes;
  const size = task.predict?.shard_size ?? 0;
  const first = header.shard * size;
  const due = Math.min(size, imageCount - first);
  if (header.shard < 0 || due <= 0) throw invalidFrame(header, `a dataset of ${imageCount} images has no such shard`);
  if (header.image_count !== due) throw invalidFrame(header, `it has ${header.image_count} images, and ${due} are due`);
  if (header.box_count < 0) throw invalidFrame(header, `it has ${header.box_count} boxes`);
  const hash = sha256(payload);
  if (hash !== header.sha256) throw invalidFrame(header, `its payload has the hash ${hash}, not ${header.sha256}`);
  if ((header.mask_bytes !== undefined) !== task.masks)
    throw invalidFrame(header, `it comes ${task.masks ? "without" : "with"} masks`);
  const columns = decodeShard(payload, header);
  const { imageIndex, classIndex, boxesPerImage } = columns;
  const stray = imageIndex.findIndex((index, row) => index !== first + row);
  if (stray >= 0) throw invalidFrame(header, `it has image ${imageIndex[stray]} where image ${first + stray} is due`);
  const unknown = classIndex.find((index) => index >= task.class_count);
  if (unknown !== undefined) throw invalidFrame(header, `it has class ${unknown} of ${task.class_count}`);
  const most = task.predict?.max_detections ?? 0;
  const crowded = boxesPerImage.find((count) => count > most);
  if (crowded !== undefined) throw invalidFrame(header, `it has ${crowded} boxes in an image, of ${most} at most`);
  const outside = findBoxOutside(columns, sizes);
  if (outside !== undefined) throw invalidFrame(header, outside);
  return columns;
}

function incomplete(taskId: string, shard: number, committed: number, due: number): CasslError {
  return new CasslError(
    "INTERNAL",
    `Prediction ${taskId} is done, but shard ${shard} is missing or wrong: ${committed} of ${due} are committed.`,
    "Please report this.",
  );
}
