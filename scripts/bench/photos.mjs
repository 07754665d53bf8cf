/** Generates pictures as hard to decode as photos: coarse spots with grain on them. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { seededRandom } from "../../dist/ts/core/random.js";
import { root } from "../tools.mjs";

const COUNT = 150;
const WIDTH_PX = 640;
const HEIGHT_PX = 480;
const SPOTS = [40, 30];
const GRAIN = 24;

/** @returns a folder of JPEG files, made only if it is not there yet. */
export async function photoFolder() {
  const folder = join(root, ".cassl/bench", `photos-${COUNT}-${WIDTH_PX}x${HEIGHT_PX}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.part`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (let seed = 0; seed < COUNT; seed++) await writePhoto(join(unfinished, `${seed}.jpg`), seededRandom(seed));
  renameSync(unfinished, folder);
  return folder;
}

async function writePhoto(path, random) {
  const [width, height] = SPOTS;
  const spots = Buffer.from(Uint8Array.from({ length: width * height * 3 }, () => 256 * random()));
  const smooth = await sharp(spots, { raw: { width, height, channels: 3 } })
    .resize(WIDTH_PX, HEIGHT_PX, { fit: "fill" })
    .raw()
    .toBuffer();
  const grainy = smooth.map((value) => Math.min(255, Math.max(0, value + GRAIN * (random() - 0.5))));
  await sharp(grainy, { raw: { width: WIDTH_PX, height: HEIGHT_PX, channels: 3 } })
    .jpeg({ quality: 90 })
    .toFile(path);
}
