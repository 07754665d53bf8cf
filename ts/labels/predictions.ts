/** The predictions of a whole dataset: Parquet files, one a shard, and the manifest that lists them. */
import type { ArtifactStore } from "../core/artifacts.js";
import { FILES_AT_ONCE, mapConcurrently } from "../core/concurrency.js";
import { CasslError } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { PredictionManifest, PredictionShard } from "../gen/cassl/v1/prediction_frame.js";
import { readBoxes, type StoredBoxes } from "./store.js";

/** The boxes of one image. */
export interface ImagePredictions {
  /** Position in the dataset. */
  readonly imageIndex: number;
  /** (N * 4,) absolute px of the original image. */
  readonly boxXyxy: Float32Array;
  /** (N,) in [0, 1]. */
  readonly score: Float32Array;
  /** (N,) 0..K-1. */
  readonly classIndex: Int32Array;
  /** (N,) masks of the whole image as COCO's counts strings, if the model gives masks. */
  readonly masks?: readonly (string | null)[];
}

/** Consecutive shards that are read together: few enough to be in memory, many enough to be worth it. */
export interface ShardGroup {
  readonly shards: readonly PredictionShard[];
  /** Position in the dataset. */
  readonly firstImage: number;
  readonly imageCount: number;
  readonly boxCount: number;
}

const GROUP_BOXES = 1_000_000;
const GROUP_SHARDS = 4096;

/** @param raw a PredictionManifest. */
export async function readPredictionManifest(raw: ArtifactRef, artifacts: ArtifactStore): Promise<PredictionManifest> {
  return JSON.parse(Buffer.from(await artifacts.read(raw.sha256)).toString()) as PredictionManifest;
}

/** All shards in groups, which depend on nothing but the shards. */
export function groupShards(shards: readonly PredictionShard[]): ShardGroup[] {
  const groups: ShardGroup[] = [];
  let [start, firstImage, imageCount, boxCount] = [0, 0, 0, 0];
  for (const [at, shard] of shards.entries()) {
    imageCount += shard.image_count;
    boxCount += shard.box_count;
    if (boxCount < GROUP_BOXES && at + 1 - start < GROUP_SHARDS && at + 1 < shards.length) continue;
    groups.push({ shards: shards.slice(start, at + 1), firstImage, imageCount, boxCount });
    [start, firstImage, imageCount, boxCount] = [at + 1, firstImage + imageCount, 0, 0];
  }
  return groups;
}

/** The same with the files of its shards. */
export interface GroupFiles extends Omit<ShardGroup, "shards"> {
  readonly files: readonly string[];
}

/** ARTIFACT_NOT_FOUND if a shard is not there. */
export async function groupFiles(
  { shards, ...group }: ShardGroup,
  artifacts: Pick<ArtifactStore, "path">,
): Promise<GroupFiles> {
  return { ...group, files: await mapConcurrently(shards, FILES_AT_ONCE, ({ sha256 }) => artifacts.path(sha256)) };
}

/** The boxes of a group. ARTIFACT_CORRUPT if they are not as many, or of other images. */
export async function readGroup(group: GroupFiles, masks: boolean): Promise<StoredBoxes> {
  const { files, firstImage, imageCount, boxCount } = group;
  const boxes = await readBoxes(files, masks, boxCount);
  const [first = firstImage, last = firstImage] = [boxes.image[0], boxes.image.at(-1)];
  if (first < firstImage || last >= firstImage + imageCount) throw foreignImages(first, last, firstImage, imageCount);
  return boxes;
}

/** ARTIFACT_CORRUPT if the shards are not of `imageCount` images. */
function checkImageCount(raw: ArtifactRef, { shards }: PredictionManifest, imageCount: number): void {
  const covered = shards.reduce((sum, { image_count }) => sum + image_count, 0);
  if (covered !== imageCount) throw incomplete(raw, covered, imageCount);
}

/**
 * The predictions of every image of a dataset, in its order, with a million boxes in memory at a time.
 * @param raw a PredictionManifest.
 * ARTIFACT_CORRUPT if the shards are not of `imageCount` images.
 */
export async function* readPredictions(
  raw: ArtifactRef,
  imageCount: number,
  artifacts: ArtifactStore,
): AsyncGenerator<ImagePredictions, void, undefined> {
  const manifest = await readPredictionManifest(raw, artifacts);
  checkImageCount(raw, manifest, imageCount);
  for (const group of groupShards(manifest.shards)) {
    yield* imagesOf(group, await readGroup(await groupFiles(group, artifacts), manifest.masks));
  }
}

function* imagesOf({ firstImage, imageCount }: ShardGroup, boxes: StoredBoxes): Generator<ImagePredictions> {
  let start = 0;
  for (let imageIndex = firstImage; imageIndex < firstImage + imageCount; imageIndex++) {
    let end = start;
    while (boxes.image[end] === imageIndex) end++;
    yield imageOf(boxes, imageIndex, start, end);
    start = end;
  }
}

/** Rows `start` to `end` of some boxes, which are all of that image. */
export function imageOf(boxes: StoredBoxes, imageIndex: number, start: number, end: number): ImagePredictions {
  const corners = [boxes.x0, boxes.y0, boxes.x1, boxes.y1];
  const boxXyxy = new Float32Array(4 * (end - start));
  for (const at of boxXyxy.keys()) boxXyxy[at] = corners[at % 4]?.[start + (at >> 2)] as number;
  return {
    imageIndex,
    boxXyxy,
    score: boxes.score.subarray(start, end),
    classIndex: boxes.class.subarray(start, end),
    ...(boxes.mask === undefined ? {} : { masks: boxes.mask.slice(start, end) }),
  };
}

function foreignImages(first: number, last: number, firstImage: number, imageCount: number): CasslError {
  const fault = `Predictions of the images ${firstImage} to ${firstImage + imageCount - 1} have boxes of ${first} to ${last}.`;
  return new CasslError("ARTIFACT_CORRUPT", fault, "Delete the workspace's artifacts of this run and run again.");
}

function incomplete(raw: ArtifactRef, covered: number, imageCount: number): CasslError {
  return new CasslError(
    "ARTIFACT_CORRUPT",
    `The predictions ${raw.sha256} cover ${covered} of ${imageCount} images.`,
    "Delete this artifact from the workspace and run again: it is predicted anew.",
  );
}
