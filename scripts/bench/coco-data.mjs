/**
 * Generates what `npm run bench -- coco` evaluates: COCO ground truth and results of an imagined detector. The same
 * size gives the same bytes. Numbers have 12 digits, as detectors write them.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../dist/ts/core/random.js";
import { hashFiles, root } from "../tools.mjs";
import { ellipsePolygon, ellipseRle } from "./ellipse.mjs";

const WIDTH_PX = 640;
const HEIGHT_PX = 480;
const SEED = 1;

/** Share of detections that are of an object of their image; the others are anywhere. */
const NEAR_SHARE = 0.8;

/** @returns paths of `gt` and `dt`, generated only if they are not there yet. */
export function cocoData({ iouType, images, classes, annotations, detections }) {
  const sizes = [iouType, images, classes, annotations, detections].join("-");
  const generator = hashFiles(["scripts/bench/coco-data.mjs", "scripts/bench/ellipse.mjs"]).slice(0, 8);
  const folder = join(root, ".cassl/bench", `coco-${sizes}-${generator}`);
  const paths = { gt: join(folder, "gt.json"), dt: join(folder, "dt.json") };
  if (existsSync(paths.gt) && existsSync(paths.dt)) return paths;
  mkdirSync(folder, { recursive: true });
  const random = seededRandom(SEED);
  const objects = Array.from({ length: annotations }, () => randomObject(images, classes, random));
  const withMasks = iouType === "segm";
  writeGroundTruth(paths.gt, objects, { images, classes, withMasks });
  writeResults(paths.dt, resultsOf(objects, { images, classes, detections, withMasks }, random));
  return paths;
}

function randomObject(images, classes, random) {
  const side = 8 * 40 ** random();
  const aspect = 2 ** (2 * random() - 1);
  const w = Math.min(side * aspect, WIDTH_PX);
  const h = Math.min(side / aspect, HEIGHT_PX);
  // A third of all objects are of the first class, as people are in COCO.
  const category = random() < 0.3 ? 1 : 1 + Math.floor(classes * random() ** 2);
  const box = [(WIDTH_PX - w) * random(), (HEIGHT_PX - h) * random(), w, h];
  return { image: 1 + Math.floor(images * random()), category, box, iscrowd: random() < 0.01 ? 1 : 0 };
}

function* resultsOf(objects, { images, classes, detections, withMasks }, random) {
  const byImage = groupByImage(objects);
  for (let n = 0; n < detections; n++) {
    const image = 1 + Math.floor((n * images) / detections);
    const present = byImage.get(image) ?? [];
    const isNear = present.length > 0 && random() < NEAR_SHARE;
    const source = isNear ? present[Math.floor(random() * present.length)] : randomObject(images, classes, random);
    const shift = isNear ? random() ** 1.5 : 1;
    const box = isNear ? jittered(source.box, shift, random) : source.box;
    const category = isNear && random() < 0.1 ? 1 + Math.floor(classes * random()) : source.category;
    const score = (1 - shift) * random() ** 0.5 + 0.01 * random();
    yield resultRecord({ image, category, box, score, withMasks });
  }
}

function groupByImage(objects) {
  const groups = new Map();
  for (const object of objects) groups.set(object.image, [...(groups.get(object.image) ?? []), object]);
  return groups;
}

function jittered([x, y, w, h], shift, random) {
  const around = () => shift * (random() - 0.5);
  return [x + w * around(), y + h * around(), w * (1 + around()), h * (1 + around())];
}

function resultRecord({ image, category, box, score, withMasks }) {
  const place = withMasks ? { segmentation: ellipseRle(box, WIDTH_PX, HEIGHT_PX) } : { bbox: box.map(rounded) };
  return { image_id: image, category_id: category, ...place, score: rounded(score) };
}

function writeGroundTruth(path, objects, { images, classes, withMasks }) {
  const numbered = (count, member) => Array.from({ length: count }, (_, i) => ({ id: i + 1, ...member(i + 1) }));
  const annotation = ({ image, category, box, iscrowd }, index) => ({
    ...(withMasks && { segmentation: [ellipsePolygon(box).map(rounded)] }),
    area: rounded(box[2] * box[3] * 0.7),
    iscrowd: withMasks ? 0 : iscrowd,
    image_id: image,
    bbox: box.map(rounded),
    category_id: category,
    id: index + 1,
  });
  const content = {
    images: numbered(images, (id) => ({ width: WIDTH_PX, height: HEIGHT_PX, file_name: `${id}.jpg` })),
    annotations: objects.map(annotation),
    categories: numbered(classes, (id) => ({ name: `class ${id}` })),
  };
  writeWhole(path, [spaced(JSON.stringify(content))]);
}

function* writtenResults(records) {
  let separator = "[";
  for (const record of records) {
    yield separator + spaced(JSON.stringify(record));
    separator = ", ";
  }
  yield "]";
}

function writeResults(path, records) {
  writeWhole(path, writtenResults(records));
}

/** A file that exists is whole. */
function writeWhole(path, texts) {
  const file = openSync(`${path}.part`, "w");
  for (const text of texts) writeSync(file, text);
  closeSync(file);
  renameSync(`${path}.part`, path);
}

/** Blanks as Python's json writes them. */
function spaced(json) {
  return json.replace(/("[^"]*")|[,:]/g, (token, text) => text ?? `${token} `);
}

function rounded(value) {
  return Number(value.toPrecision(12));
}
