/** Prediction shards as workers send them: the payload of a frame (proto/cassl/v1/prediction_frame.proto). */
import { CasslError } from "../core/errors.js";
import type { ShardHeader } from "../gen/cassl/v1/prediction_frame.js";

/** One shard: I images and their B boxes. */
export interface PredictionColumns {
  /** (I,) positions in the dataset, ascending. */
  readonly imageIndex: Int32Array;
  /** (I,) sums to B. */
  readonly boxesPerImage: Int32Array;
  /** (B * 4,) absolute px of the original image. */
  readonly boxXyxy: Float32Array;
  /** (B,) in [0, 1]. */
  readonly score: Float32Array;
  /** (B,) 0..K-1. */
  readonly classIndex: Int32Array;
  /** (B,) masks of the whole image as COCO's counts strings. Undefined if the shard has none. */
  readonly masks: readonly string[] | undefined;
}

/**
 * The columns of a shard's payload: views of it where it is aligned to 4 bytes, else of a copy. Little-endian, as every
 * platform that Node.js runs workers' controllers on. FRAME_INVALID if its size, counts or values break the format.
 */
export function decodeShard(
  payload: Uint8Array,
  { image_count, box_count, mask_bytes }: Pick<ShardHeader, "image_count" | "box_count" | "mask_bytes">,
): PredictionColumns {
  const maskColumns = mask_bytes === undefined ? 0 : 4 * box_count + mask_bytes;
  const expectedBytes = 8 * image_count + 24 * box_count + maskColumns;
  if (payload.byteLength !== expectedBytes) {
    const masks = mask_bytes === undefined ? "" : ` with ${mask_bytes} bytes of masks`;
    throw invalidFrame(
      `holds ${payload.byteLength} bytes; ${image_count} images and ${box_count} boxes${masks} take ${expectedBytes}`,
    );
  }
  const { buffer, byteOffset } = payload.byteOffset % 4 === 0 ? payload : payload.slice();
  const boxes = byteOffset + 8 * image_count;
  const columns: PredictionColumns = {
    imageIndex: new Int32Array(buffer, byteOffset, image_count),
    boxesPerImage: new Int32Array(buffer, byteOffset + 4 * image_count, image_count),
    boxXyxy: new Float32Array(buffer, boxes, 4 * box_count),
    score: new Float32Array(buffer, boxes + 16 * box_count, box_count),
    classIndex: new Int32Array(buffer, boxes + 20 * box_count, box_count),
    masks:
      mask_bytes === undefined
        ? undefined
        : decodeMasks(
            new Int32Array(buffer, boxes + 24 * box_count, box_count),
            new Uint8Array(buffer, boxes + 28 * box_count, mask_bytes),
          ),
  };
  checkColumns(columns);
  return columns;
}

function decodeMasks(lengths: Int32Array, counts: Uint8Array): string[] {
  if (lengths.some((length) => length <= 0)) throw invalidFrame("has a mask without bytes");
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (sum !== counts.length) throw invalidFrame(`counts ${sum} bytes mask by mask, but holds ${counts.length}`);
  const text = Buffer.from(counts.buffer, counts.byteOffset, counts.byteLength).toString("latin1");
  const foreign = /[^0-o]/.exec(text);
  if (foreign !== null) throw invalidFrame(`has the byte ${foreign[0].charCodeAt(0)} in a mask`);
  let end = 0;
  return Array.from(lengths, (length) => {
    end += length;
    return text.slice(end - length, end);
  });
}

function checkColumns({ imageIndex, boxesPerImage, boxXyxy, score, classIndex }: PredictionColumns): void {
  const unordered = imageIndex.findIndex((index, row) => index <= (imageIndex[row - 1] ?? -1));
  if (unordered >= 0) throw invalidFrame(`has image index ${imageIndex[unordered]} where a larger one is due`);
  if (boxesPerImage.some((count) => count < 0)) throw invalidFrame("has an image with a negative number of boxes");
  const boxes = boxesPerImage.reduce((sum, count) => sum + count, 0);
  if (boxes !== score.length) throw invalidFrame(`counts ${boxes} boxes image by image, but holds ${score.length}`);
  if (!boxXyxy.every(Number.isFinite)) throw invalidFrame("has a box that is not finite");
  const badScore = score.find((value) => !(value >= 0 && value <= 1));
  if (badScore !== undefined) throw invalidFrame(`has the score ${badScore}, which is not in [0, 1]`);
  if (classIndex.some((index) => index < 0)) throw invalidFrame("has a negative class index");
}

function invalidFrame(fault: string): CasslError {
  return new CasslError("FRAME_INVALID", `A prediction shard ${fault}.`, "The worker must send the shard again.");
}
