/** Prediction shards: checked, stored as artifacts and committed one by one, so that none is lost or counted twice. */
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import { decodeManifest } from "../data/manifest.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { PredictionManifest, ShardHeader } from "../gen/cassl/v1/prediction_frame.js";
import type { PredictTask, Task } from "../gen/cassl/v1/task.js";
import type { TaskAttempt } from "../gen/cassl/v1/worker_service.js";
import { decodeShard, type PredictionColumns } from "../labels/frame.js";
import { writeShard } from "../labels/store.js";
import type { TaskTable } from "./state.js";

/** The tasks under way, as far as shards belong to them. */
export interface ShardTasks {
  /** Undefined if the attempt is not the one that counts. */
  find(attempt: TaskAttempt): { readonly task: Task } | undefined;
  noteProgress(taskId: string): void;
}

export interface ShardLedger {
  /** FRAME_INVALID if the shard is not what the task is to give, or comes from an attempt that does not count. */
  commit(header: ShardHeader, payload: Uint8Array): Promise<void>;
  /** The PredictionManifest of a finished task. INTERNAL if an image is missing. */
  manifest(taskId: string, task: PredictTask): Promise<ArtifactRef>;
}

export function createShardLedger(state: TaskTable, artifacts: ArtifactStore, tasks: ShardTasks): ShardLedger {
  const imageCounts = new Map<string, number>();

  async function imageCountOf(dataset: string): Promise<number> {
    const known = imageCounts.get(dataset);
    if (known !== undefined) return known;
    const count = decodeManifest(await artifacts.read(dataset)).images.length;
    imageCounts.set(dataset, count);
    return count;
  }

  return {
    async commit(header, payload) {
      const { task_id, attempt, shard, image_count, box_count } = header;
      const task = tasks.find({ task_id, attempt })?.task;
      if (task?.kind?.$case !== "predict")
        throw invalidFrame(header, `attempt ${attempt} at task ${task_id} is not under way`);
      if (state.findShard(task_id, shard) !== undefined) return;
      const { dataset, weights } = task.kind.value;
      const columns = checkShard(header, payload, task.kind.value, await imageCountOf(dataset));
      const ref = await artifacts.putFile((file) => writeShard(file, columns, { dataset, model: weights, shard }));
      state.addShard(task_id, { shard, image_count, box_count, sha256: ref.sha256 });
      tasks.noteProgress(task_id);
    },

    async manifest(taskId, { dataset, predict, weights, class_count, masks }) {
      const shards = state.shardsOf(taskId);
      const imageCount = await imageCountOf(dataset);
      const due = Math.ceil(imageCount / (predict?.shard_size ?? 1));
      const missing = Array.from({ length: due }, (_, index) => index).filter(
        (index) => shards[index]?.shard !== index,
      );
      if (missing.length > 0) throw incomplete(taskId, missing[0] as number, shards.length, due);
      const manifest: PredictionManifest = { dataset, shards, model: weights, class_count, masks };
      return artifacts.put(Buffer.from(canonicalJson(manifest)));
    },
  };
}

/**
 * The columns of a shard that is what the task is to give, else FRAME_INVALID.
 * @param imageCount images of the whole dataset.
 */
export function checkShard(
  header: ShardHeader,
  payload: Uint8Array,
  task: PredictTask,
  imageCount: number,
): PredictionColumns {
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
  const { imageIndex, classIndex } = columns;
  const stray = imageIndex.findIndex((index, row) => index !== first + row);
  if (stray >= 0) throw invalidFrame(header, `it has image ${imageIndex[stray]} where image ${first + stray} is due`);
  const unknown = classIndex.find((index) => index >= task.class_count);
  if (unknown !== undefined) throw invalidFrame(header, `it has class ${unknown} of ${task.class_count}`);
  return columns;
}

function invalidFrame({ shard }: ShardHeader, fault: string): CasslError {
  return new CasslError(
    "FRAME_INVALID",
    `Prediction shard ${shard} is refused: ${fault}.`,
    "The worker must send the shard again.",
  );
}

function incomplete(taskId: string, shard: number, committed: number, due: number): CasslError {
  return new CasslError(
    "INTERNAL",
    `The worker says that prediction ${taskId} is done, but shard ${shard} is missing: ${committed} of ${due} are committed.`,
    "Please report this.",
  );
}
