/** Images with predictions and objects, as a browser of pseudo labels has them. */
import { seededRandom } from "../../../ts/core/random.js";
import { labelTable } from "../../../ts/dashboard/view/label-table.js";
import { selectFromImage } from "../../../ts/labels/select.js";

const SIDE = 100;
const IMAGES = 20;

/** Random predictions of some images, and objects that some of them find. */
export function exampleImages(seed: number) {
  const random = seededRandom(seed);
  const box = () => {
    const [x, y] = [70 * random(), 70 * random()];
    return [x, y, 10 + 20 * random(), 10 + 20 * random()] as const;
  };
  return Array.from({ length: IMAGES }, () => {
    const truth = Array.from({ length: Math.floor(4 * random()) }, box);
    const near = truth.flatMap(([x, y, w, h]) => [0, 3, 6].map((shift) => [x + shift * random(), y, w, h] as const));
    const boxes = [...near, ...Array.from({ length: 5 }, box)];
    return { truth, boxes, score: Float32Array.from(boxes, () => Math.round(50 * random()) / 50) };
  });
}

export const select = (image: ReturnType<typeof exampleImages>[number], score_threshold: number) =>
  selectFromImage(
    {
      boxXyxy: Float32Array.from(image.boxes.flatMap(([x, y, w, h]) => [x, y, x + w, y + h])),
      score: image.score,
      classIndex: new Int32Array(image.score.length),
    },
    { width_px: SIDE, height_px: SIDE },
    { score_threshold, nms_iou: 0.5, max_per_image: 6, min_side_px: 2 },
  ).annotations;

export function tableOf(images: ReturnType<typeof exampleImages>) {
  const selected = images.map((image) => select(image, 0));
  const files = images.map(({ truth }, index) => ({
    name: String(index),
    width_px: SIDE,
    height_px: SIDE,
    boxes: selected[index]?.length ?? 0,
    truth: truth.flatMap((box) => [...box, 0]),
  }));
  const numbers = selected.flat().flatMap(({ box_xywh, score }) => [...box_xywh, score, 0]);
  return labelTable(files, Float32Array.from(numbers));
}
