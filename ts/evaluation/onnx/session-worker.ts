/**
 * The thread that runs a model: image files in, detections out. A run blocks its thread, so that it must not be the
 * controller's. The only door to onnxruntime-node.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";
import { CasslError, toErrorDetail } from "../../core/errors.js";
import type { ErrorDetail } from "../../gen/cassl/v1/error_reason.js";
import { decodeImage } from "./decode-image.js";
import { type DenseOutput, type Detections, toDetections } from "./detections.js";
import { letterboxInto, type Size } from "./letterbox.js";
import { type ModelMetadata, modelInvalid } from "./model-metadata.js";
import { denseOutputs } from "./model-outputs.js";

export interface SessionWorkerData {
  /** Path of the ONNX file. */
  readonly model: string;
  readonly metadata: ModelMetadata;
  /** Whether candidates are wanted too. */
  readonly dense: boolean;
  /** An image with more cannot be decoded. */
  readonly maxPixels: number | undefined;
}

/** What is known of an image; `dense`, which has no masks, if it is asked for. */
export interface Detected {
  readonly image: Size;
  readonly detections: Detections;
  readonly dense?: DenseOutput;
}

/** Paths of the images of one batch; or that there will be no more. */
export type SessionRequest = readonly string[] | "end";

/** The detections of each image, or why there are none. */
export type SessionReply = { readonly detected: readonly Detected[] } | { readonly error: ErrorDetail };

const port = parentPort;
if (port === null) throw new Error("This file runs in a worker thread only.");
const { model, metadata, dense: wantsDense, maxPixels } = workerData as SessionWorkerData;
const input: Size = { widthPx: metadata.input.width_px, heightPx: metadata.input.height_px };

sharp.concurrency(1);
const session = openSession();
// Whoever asks first is told of a failure.
session.catch(() => {});

port.on("message", (request: SessionRequest) => {
  if (request === "end") port.close();
  else void reply(request).then((message) => port.postMessage(message));
});

async function reply(paths: readonly string[]): Promise<SessionReply> {
  try {
    return { detected: await detect(paths) };
  } catch (error) {
    return { error: toErrorDetail(error) };
  }
}

async function detect(paths: readonly string[]): Promise<Detected[]> {
  const inputLength = input.widthPx * input.heightPx * 3;
  const inputs = new Uint8Array(paths.length * inputLength);
  const sizes = await Promise.all(
    paths.map(async (path, n) => {
      const image = await decodeImage(path, maxPixels);
      letterboxInto(inputs.subarray(n * inputLength, (n + 1) * inputLength), input, image, metadata.input.pad_value);
      return { widthPx: image.widthPx, heightPx: image.heightPx };
    }),
  );
  const outputs = await run(inputs, paths.length);
  return sizes.map((image, n) => {
    const output = outputs[n] as DenseOutput;
    const detections = toDetections(output, metadata, image);
    const { masks: _, ...dense } = output;
    return { image, detections, ...(wantsDense ? { dense } : {}) };
  });
}

/** One thread a session: parallel sessions keep more cores busy than parallel operators. */
async function openSession(): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  } catch (error) {
    throw modelInvalid(`${model} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

/** @param inputs (count, height, width, 3). */
async function run(inputs: Uint8Array, count: number): Promise<DenseOutput[]> {
  const dense = await session;
  const images = new Tensor("uint8", inputs, [count, input.heightPx, input.widthPx, 3]);
  try {
    return denseOutputs(model, await dense.run({ images }), metadata, count);
  } catch (error) {
    if (error instanceof CasslError) throw error;
    throw modelInvalid(`${model} cannot be run: ${(error as Error).message}`, { cause: error });
  }
}
