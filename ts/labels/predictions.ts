/** Predictions as they come from workers (proto/cassl/v1/prediction_frame.proto): shards of columns, and the manifest that lists them. */
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { PredictionManifest } from "../gen/cassl/v1/prediction_frame.js";

/** One shard: I images and their B boxes. */
export interface PredictionColumns {
  /** (I,) positions in the dataset, ascending. */
  readonly imageIndex: Int32Array;
  /** (I,) sums to B. */
  readonly boxesPerImage: Int32Array;
  /** (B * 4,) absolute px of the original image. */
  readonly boxXywh: Float32Array;
  /** (B,) in [0, 1]. */
  readonly score: Float32Array;
  /** (B,) 0..K-1. */
  readonly classIndex: Int32Array;
}

/** The boxes of one image, as views into the columns of its shard. */
export interface ImagePredictions {
  /** Position in the dataset. */
  readonly imageIndex: number;
  /** (N * 4,) absolute px of the original image. */
  readonly boxXywh: Float32Array;
  /** (N,) in [0, 1]. */
  readonly score: Float32Array;
  /** (N,) 0..K-1. */
  readonly classIndex: Int32Array;
}

/**
 * The columns of a shard's payload: views of it where it is aligned to 4 bytes, else of a copy. Little-endian, as every
 * platform that Node.js runs workers' controllers on. FRAME_INVALID if its size, counts or values break the format.
 */
export function decodeShard(payload: Uint8Array, imageCount: number, boxCount: number): PredictionColumns {
  const expectedBytes = 8 * imageCount + 24 * boxCount;
  if (payload.byteLength !== expectedBytes) {
    throw invalidFrame(
      `holds ${payload.byteLength} bytes; ${imageCount} images and ${boxCount} boxes take ${expectedBytes}`,
    );
  }
  const { buffer, byteOffset } = payload.byteOffset % 4 === 0 ? payload : payload.slice();
  const boxes = byteOffset + 8 * imageCount;
  const columns: PredictionColumns = {
    imageIndex: new Int32Array(buffer, byteOffset, imageCount),
    boxesPerImage: new Int32Array(buffer, byteOffset + 4 * imageCount, imageCount),
    boxXywh: new Float32Array(buffer, boxes, 4 * boxCount),
    score: new Float32Array(buffer, boxes + 16 * boxCount, boxCount),
    classIndex: new Int32Array(buffer, boxes + 20 * boxCount, boxCount),
  };
  checkColumns(columns);
  return columns;
}

/**
 * The predictions of every image of a dataset, in its order, with one shard in memory at a time.
 * @param raw a PredictionManifest.
 * ARTIFACT_CORRUPT if an image is missing or there twice.
 */
export async function* readPredictions(
  raw: ArtifactRef,
  imageCount: number,
  artifacts: ArtifactStore,
): AsyncGenerator<ImagePredictions, void, undefined> {
  const manifest = JSON.parse(Buffer.from(await artifacts.read(raw.sha256)).toString()) as PredictionManifest;
  let next = 0;
  for (const shard of manifest.shards) {
    const columns = decodeShard(await artifacts.read(shard.sha256), shard.image_count, shard.box_count);
    for (const predictions of imagesOf(columns)) {
      if (predictions.imageIndex !== next)
        throw incomplete(raw, `have image ${predictions.imageIndex} where image ${next} is due`);
      next++;
      yield predictions;
    }
  }
  if (next !== imageCount) throw incomplete(raw, `cover ${next} of ${imageCount} images`);
}

function* imagesOf({
  imageIndex,
  boxesPerImage,
  boxXywh,
  score,
  classIndex,
}: PredictionColumns): Generator<ImagePredictions> {
  let start = 0;
  for (const [row, index] of imageIndex.entries()) {
    const end = start + (boxesPerImage[row] as number);
    yield {
      imageIndex: index,
      boxXywh: boxXywh.subarray(4 * start, 4 * end),
      score: score.subarray(start, end),
      classIndex: classIndex.subarray(start, end),
    };
    start = end;
  }
}

function checkColumns({ imageIndex, boxesPerImage, boxXywh, score, classIndex }: PredictionColumns): void {
  const unordered = imageIndex.findIndex((index, row) => index <= (imageIndex[row - 1] ?? -1));
  if (unordered >= 0) throw invalidFrame(`has image index ${imageIndex[unordered]} where a larger one is due`);
  if (boxesPerImage.some((count) => count < 0)) throw invalidFrame("has an image with a negative number of boxes");
  const boxes = boxesPerImage.reduce((sum, count) => sum + count, 0);
  if (boxes !== score.length) throw invalidFrame(`counts ${boxes} boxes image by image, but holds ${score.length}`);
  if (!boxXywh.every(Number.isFinite)) throw invalidFrame("has a box that is not finite");
  const badScore = score.find((value) => !(value >= 0 && value <= 1));
  if (badScore !== undefined) throw invalidFrame(`has the score ${badScore}, which is not in [0, 1]`);
  if (classIndex.some((index) => index < 0)) throw invalidFrame("has a negative class index");
}

function invalidFrame(fault: string): CasslError {
  return new CasslError("FRAME_INVALID", `A prediction shard ${fault}.`, "The worker must send the shard again.");
}

function incomplete(raw: ArtifactRef, fault: string): CasslError {
  return new CasslError(
    "ARTIFACT_CORRUPT",
    `The predictions ${raw.sha256} ${fault}.`,
    "Delete this artifact from the workspace and run again: it is predicted anew.",
  );
}
