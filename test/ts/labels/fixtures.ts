/** Prediction shards, as workers make them and as the controller stores them. */
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { canonicalJson } from "../../../ts/core/hash.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import type { PredictionManifest } from "../../../ts/gen/cassl/v1/prediction_frame.js";
import { decodeShard, type PredictionColumns } from "../../../ts/labels/frame.js";
import { writeShard } from "../../../ts/labels/store.js";

export interface Prediction {
  /** left, top, right, bottom */
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly classIndex: number;
  readonly mask?: string;
}

export interface ShardImage {
  readonly index: number;
  readonly predictions: readonly Prediction[];
}

/** The payload of a shard; with masks if its boxes have some. */
export function encodeShard(images: readonly ShardImage[]): Uint8Array {
  const boxes = images.flatMap(({ predictions }) => predictions);
  const columns = [
    Int32Array.from(images, ({ index }) => index),
    Int32Array.from(images, ({ predictions }) => predictions.length),
    Float32Array.from(boxes.flatMap(({ box }) => box)),
    Float32Array.from(boxes, ({ score }) => score),
    Int32Array.from(boxes, ({ classIndex }) => classIndex),
  ].map(({ buffer }) => new Uint8Array(buffer));
  const masks = boxes.flatMap(({ mask }) => mask ?? []);
  const lengths = masks.map((mask) => mask.length);
  return Buffer.concat([...columns, new Uint8Array(Int32Array.from(lengths).buffer), Buffer.from(masks.join(""))]);
}

const hasMasks = (images: readonly ShardImage[]): boolean =>
  images.some(({ predictions }) => predictions.some(({ mask }) => mask !== undefined));

export function countsOf(images: readonly ShardImage[], masks = hasMasks(images)) {
  const boxes = images.flatMap(({ predictions }) => predictions);
  const maskBytes = boxes.reduce((sum, { mask = "" }) => sum + mask.length, 0);
  return { image_count: images.length, box_count: boxes.length, mask_bytes: masks ? maskBytes : undefined };
}

export function columnsOf(images: readonly ShardImage[], masks = hasMasks(images)): PredictionColumns {
  return decodeShard(encodeShard(images), countsOf(images, masks));
}

/** Stores shards and the manifest that lists them. */
export async function storePredictions(
  shards: readonly (readonly ShardImage[])[],
  artifacts: ArtifactStore,
  classCount = 10,
): Promise<ArtifactRef> {
  const masks = hasMasks(shards.flat());
  const listed = [];
  for (const [shard, images] of shards.entries()) {
    const provenance = { dataset: "00", model: "11", shard };
    const { sha256 } = await artifacts.putFile((file) => writeShard(file, columnsOf(images, masks), provenance));
    const { image_count, box_count } = countsOf(images);
    listed.push({ shard, image_count, box_count, sha256 });
  }
  const model = { model: "11", class_count: classCount, masks };
  const image_count = listed.reduce((sum, shard) => sum + shard.image_count, 0);
  const manifest: PredictionManifest = { dataset: "00", shards: listed, image_count, ...model };
  return artifacts.put(Buffer.from(canonicalJson(manifest)));
}
