/** Prediction shards, as workers make them. */
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { canonicalJson } from "../../../ts/core/hash.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";

export interface Prediction {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly classIndex: number;
}

export interface ShardImage {
  readonly index: number;
  readonly predictions: readonly Prediction[];
}

export function encodeShard(images: readonly ShardImage[]): Uint8Array {
  const boxes = images.flatMap(({ predictions }) => predictions);
  const columns = [
    Int32Array.from(images, ({ index }) => index),
    Int32Array.from(images, ({ predictions }) => predictions.length),
    Float32Array.from(boxes.flatMap(({ box }) => box)),
    Float32Array.from(boxes, ({ score }) => score),
    Int32Array.from(boxes, ({ classIndex }) => classIndex),
  ];
  return Buffer.concat(columns.map(({ buffer }) => new Uint8Array(buffer)));
}

/** Stores shards and the manifest that lists them. */
export async function storePredictions(
  shards: readonly (readonly ShardImage[])[],
  artifacts: ArtifactStore,
): Promise<ArtifactRef> {
  const listed = [];
  for (const [shard, images] of shards.entries()) {
    const { sha256 } = await artifacts.put(encodeShard(images));
    const boxCount = images.reduce((sum, { predictions }) => sum + predictions.length, 0);
    listed.push({ shard, image_count: images.length, box_count: boxCount, sha256 });
  }
  return artifacts.put(Buffer.from(canonicalJson({ dataset: "00", shards: listed })));
}
