/** Runs an exported model on image files, in worker threads. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { CasslError, cancelled, fromErrorDetail } from "../../core/errors.js";
import type { Detections } from "./detections.js";
import type { ModelMetadata } from "./model-metadata.js";
import type { Detected, SessionReply, SessionRequest, SessionWorkerData } from "./session-worker.js";

export type { Detected } from "./session-worker.js";

export interface DetectOptions {
  /** Path of the ONNX file. */
  readonly model: string;
  readonly metadata: ModelMetadata;
  /** Each gives the path of an image, when it is its turn. */
  readonly imagePaths: readonly (() => Promise<string>)[];
  /** Images that the model sees at once. */
  readonly imagesPerBatch?: number;
  /** Whether candidates are wanted too, which are many. */
  readonly dense?: boolean;
  /** An image with more is refused. */
  readonly maxPixels?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch with the images done. */
  readonly onProgress?: (done: number, total: number) => void;
}

const THREADS = Math.min(2, availableParallelism());
const IMAGES_PER_BATCH = 4;

/** The detections of each image, in the order of the paths. Errors as of `detectInImages`. */
export async function detectObjects(options: DetectOptions): Promise<Detections[]> {
  return (await detectInImages(options)).map(({ detections }) => detections);
}

/**
 * The detections of each image and its size, in the order of the paths.
 * IMAGE_INVALID or MODEL_INVALID for the first image or the model that cannot be used; CANCELLED when `signal` aborts.
 * The threads have ended when this settles.
 */
export async function detectInImages(options: DetectOptions): Promise<Detected[]> {
  const { model, metadata, imagePaths, imagesPerBatch = IMAGES_PER_BATCH, signal, onProgress } = options;
  if (signal?.aborted) throw cancelled();
  const results = new Array<Detected>(imagePaths.length);
  const batches = batchStarts(imagePaths.length, imagesPerBatch);
  let done = 0;

  const work = async ({ worker }: Thread): Promise<void> => {
    for (const start of batches) {
      const paths = await Promise.all(imagePaths.slice(start, start + imagesPerBatch).map((path) => path()));
      const detected = await request(worker, paths, signal);
      detected.forEach((found, n) => {
        results[start + n] = found;
      });
      done += detected.length;
      onProgress?.(done, imagePaths.length);
    }
  };

  const threads = Math.min(THREADS, Math.ceil(imagePaths.length / imagesPerBatch));
  const workerData = { model, metadata, dense: options.dense ?? false, maxPixels: options.maxPixels };
  const started = Array.from({ length: threads }, () => startThread(workerData));
  try {
    await Promise.all(started.map(work));
    return results;
  } catch (error) {
    throw CasslError.from(error);
  } finally {
    await Promise.all(started.map(endThread));
  }
}

/** Shared by the threads: each takes the next when it is free. */
function* batchStarts(images: number, imagesPerBatch: number): Generator<number> {
  for (let start = 0; start < images; start += imagesPerBatch) yield start;
}

interface Thread {
  readonly worker: Worker;
  readonly exited: Promise<unknown>;
}

function startThread(workerData: SessionWorkerData): Thread {
  const worker = new Worker(new URL("./session-worker.js", import.meta.url), { workerData });
  return { worker, exited: new Promise((resolve) => worker.once("exit", resolve)) };
}

/** After the batch under way: a thread that is terminated inside the runtime takes the whole process with it. */
async function endThread({ worker, exited }: Thread): Promise<void> {
  worker.postMessage("end" satisfies SessionRequest);
  await exited;
}

/** One batch. */
async function request(
  worker: Worker,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly Detected[]> {
  worker.postMessage(paths satisfies SessionRequest);
  const [reply] = (await once(worker, "message", signal && { signal })) as [SessionReply];
  if ("error" in reply) throw fromErrorDetail(reply.error);
  return reply.detected;
}
