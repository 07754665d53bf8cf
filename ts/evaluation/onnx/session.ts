/** Runs an exported model on image files, in worker threads. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { CasslError, cancelled, fromErrorDetail } from "../../core/errors.js";
import type { Detections } from "./detections.js";
import type { ModelMetadata } from "./model-metadata.js";
import type { SessionReply, SessionRequest, SessionWorkerData } from "./session-worker.js";

export interface DetectOptions {
  /** Path of the ONNX file. */
  readonly model: string;
  readonly metadata: ModelMetadata;
  readonly imagePaths: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after each batch with the images done. */
  readonly onProgress?: (done: number, total: number) => void;
}

const THREADS = Math.min(2, availableParallelism());
const IMAGES_PER_BATCH = 4;

/**
 * The detections of each image, in the order of the paths.
 * IMAGE_INVALID or MODEL_INVALID for the first image or the model that cannot be used; CANCELLED when `signal` aborts.
 * The threads have ended when this settles.
 */
export async function detectObjects(options: DetectOptions): Promise<Detections[]> {
  const { model, metadata, imagePaths, signal, onProgress } = options;
  if (signal?.aborted) throw cancelled();
  const results = new Array<Detections>(imagePaths.length);
  const batches = batchStarts(imagePaths.length);
  let done = 0;

  const work = async (worker: Worker): Promise<void> => {
    for (const start of batches) {
      const paths = imagePaths.slice(start, start + IMAGES_PER_BATCH);
      const detections = await request(worker, paths, signal);
      detections.forEach((found, n) => {
        results[start + n] = found;
      });
      done += detections.length;
      onProgress?.(done, imagePaths.length);
    }
  };

  const threads = Math.min(THREADS, Math.ceil(imagePaths.length / IMAGES_PER_BATCH));
  const workers = Array.from({ length: threads }, () => startWorker({ model, metadata }));
  try {
    await Promise.all(workers.map(work));
    return results;
  } catch (error) {
    throw CasslError.from(error);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Shared by the threads: each takes the next when it is free. */
function* batchStarts(images: number): Generator<number> {
  for (let start = 0; start < images; start += IMAGES_PER_BATCH) yield start;
}

function startWorker(workerData: SessionWorkerData): Worker {
  return new Worker(new URL("./session-worker.js", import.meta.url), { workerData });
}

/** One batch. */
async function request(
  worker: Worker,
  paths: SessionRequest,
  signal: AbortSignal | undefined,
): Promise<readonly Detections[]> {
  worker.postMessage(paths);
  const [reply] = (await once(worker, "message", signal && { signal })) as [SessionReply];
  if ("error" in reply) throw fromErrorDetail(reply.error);
  return reply.detections;
}
