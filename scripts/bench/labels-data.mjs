/** Generated predictions: shards of 512 images with 100 boxes each, as a detector leaves them, in clusters and with falling scores. */
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SHARD_IMAGES = 512;
const IMAGE_BOXES = 100;
const SHARD_BOXES = SHARD_IMAGES * IMAGE_BOXES;
/** What is different between shards repeats after so many: generating them all anew would take longer than selecting. */
const DIFFERENT_SHARDS = 20;
const SIDE_PX = 640;
const CLUSTERS = 24;

/** A folder with shards of so many boxes and `manifest.json`, which is made once. */
export async function boxData(boxes) {
  const folder = join(tmpdir(), `cassl-bench-labels-1-${boxes}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  console.log(`Generating ${boxes} boxes in ${folder} ...`);
  await generate(partial, Math.ceil(boxes / SHARD_BOXES));
  await rename(partial, folder);
  return folder;
}

async function generate(folder, shards) {
  const { seededRandom } = await import("../../dist/ts/core/random.js");
  const { writeShard } = await import("../../dist/ts/labels/store.js");
  const random = seededRandom(1);
  const kinds = Array.from({ length: Math.min(shards, DIFFERENT_SHARDS) }, () => shardOf(random));
  const listed = [];
  for (let shard = 0; shard < shards; shard++) {
    const imageIndex = Int32Array.from({ length: SHARD_IMAGES }, (_, row) => shard * SHARD_IMAGES + row);
    const columns = { ...kinds[shard % kinds.length], imageIndex };
    await writeShard(join(folder, String(shard)), columns, { dataset: "", model: "", shard });
    listed.push({ shard, image_count: SHARD_IMAGES, box_count: SHARD_BOXES, sha256: String(shard) });
  }
  const manifest = { dataset: "", shards: listed, model: "", class_count: 1, masks: false };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}

/** Whole numbers of 1/8 px and scores of 1/1024, so that there are ties. */
function shardOf(random) {
  const eighths = (value) => Math.round(8 * value) / 8;
  const boxXyxy = new Float32Array(4 * SHARD_BOXES);
  const score = new Float32Array(SHARD_BOXES);
  for (let image = 0; image < SHARD_IMAGES; image++) {
    const centres = Array.from({ length: CLUSTERS }, () => [
      SIDE_PX * random(),
      SIDE_PX * random(),
      16 + 160 * random(),
    ]);
    const scores = Array.from({ length: IMAGE_BOXES }, () => Math.floor(1024 * (0.05 + 0.9 * random() ** 2)) / 1024);
    scores.sort((a, b) => b - a);
    for (let box = 0; box < IMAGE_BOXES; box++) {
      const row = image * IMAGE_BOXES + box;
      const [x, y, size] = centres[Math.floor(CLUSTERS * random())];
      const [left, top] = [x + 0.3 * size * (random() - 0.5), y + 0.3 * size * (random() - 0.5)].map(inside);
      const [right, bottom] = [left + size * (0.7 + 0.6 * random()), top + size * (0.7 + 0.6 * random())].map(inside);
      boxXyxy.set([left, top, right, bottom].map(eighths), 4 * row);
      score[row] = scores[box];
    }
  }
  const boxesPerImage = new Int32Array(SHARD_IMAGES).fill(IMAGE_BOXES);
  return { boxesPerImage, boxXyxy, score, classIndex: new Int32Array(SHARD_BOXES), masks: undefined };
}

function inside(value) {
  return Math.min(Math.max(value, 0), SIDE_PX);
}
