/** The images behind a number of an evaluation, with what was found in them and what was not. Pure functions. */
import { maskPath, stripWidth } from "../../report/mask-path.js";
import type { EvaluatedBox, EvaluatedImage, EvaluatedImages } from "../wire/evaluation.js";
import type { Evaluated, EvaluatedFile } from "./evaluated.js";

/** Positions of classes; one more than there are is the background. */
export interface ChosenCell {
  readonly truth: number;
  readonly detected: number;
}

const MOST_IMAGES = 60;
/** In which masks are drawn, of the longer side of an image. */
const MASK_STRIPS = 320;

/** Those with the most entries of the cell first, then those with the best scores. */
export function imagesOfCell(evaluated: Evaluated, { truth, detected }: ChosenCell): EvaluatedImages {
  const { pairs } = evaluated;
  const isChosen = (pair: number): boolean => pairs.truth[pair] === truth && pairs.detected[pair] === detected;
  const found = new Map<number, { count: number; score: number }>();
  pairs.image.forEach((image, pair) => {
    if (!isChosen(pair)) return;
    const { count, score } = found.get(image) ?? { count: 0, score: 0 };
    found.set(image, { count: count + 1, score: Math.max(score, pairs.score[pair] as number) });
  });
  const order = [...found].sort(([, a], [, b]) => b.count - a.count || b.score - a.score);
  const shown = order.slice(0, MOST_IMAGES).map(([image, { count }]) => ({ image, count }));
  return { total: found.size, images: drawn(evaluated, shown, isChosen) };
}

export function worstImagesOf(evaluated: Evaluated): EvaluatedImages {
  const shown = evaluated.worst.map((image, rank) => ({ image, count: evaluated.facts.worst[rank]?.errors ?? 0 }));
  return { total: shown.length, images: drawn(evaluated, shown, () => true) };
}

function drawn(
  evaluated: Evaluated,
  shown: readonly { readonly image: number; readonly count: number }[],
  isChosen: (pair: number) => boolean,
): EvaluatedImage[] {
  const boxes = new Map(shown.map(({ image }) => [image, [] as EvaluatedBox[]]));
  evaluated.pairs.image.forEach((image, pair) => {
    boxes.get(image)?.push(...boxesOf(evaluated, pair, isChosen(pair)));
  });
  return shown.map(({ image, count }) => {
    const { file_name: name, width_px, height_px } = evaluated.images[image] as EvaluatedFile;
    return { name, width_px, height_px, count, boxes: boxes.get(image) ?? [] };
  });
}

/** What is right is drawn as it was detected; where the class is wrong, the object is drawn as well. */
function boxesOf(evaluated: Evaluated, pair: number, isChosen: boolean): EvaluatedBox[] {
  const { pairs } = evaluated;
  const { classes } = evaluated.facts;
  const file = evaluated.images[pairs.image[pair] as number] as EvaluatedFile;
  const [truth, detected] = [pairs.truth[pair] as number, pairs.detected[pair] as number];
  const kindOf = (kind: EvaluatedBox["kind"]): EvaluatedBox["kind"] => (isChosen ? kind : "aside");
  const boxes: EvaluatedBox[] = [];
  const [isObject, isDetected] = [truth < classes.length, detected < classes.length];
  if (isObject && truth !== detected) {
    const label = classes[truth]?.name ?? "";
    boxes.push({
      kind: kindOf("missed"),
      box: boxAt(pairs.truthXywh, pair),
      label,
      ...maskOf(pairs.truthMask[pair], file),
    });
  }
  if (isDetected) {
    const label = `${classes[detected]?.name} ${(pairs.score[pair] as number).toFixed(2)}`;
    const kind = kindOf(truth === detected ? "right" : "wrong");
    boxes.push({ kind, box: boxAt(pairs.detectedXywh, pair), label, ...maskOf(pairs.detectedMask[pair], file) });
  }
  return boxes;
}

function maskOf(counts: string | undefined, file: EvaluatedFile): Pick<EvaluatedBox, "mask"> {
  return counts === undefined ? {} : { mask: maskPath(counts, file.height_px, stripWidth(file, MASK_STRIPS)) };
}

function boxAt(xywh: Float32Array, pair: number): EvaluatedBox["box"] {
  return [...xywh.subarray(4 * pair, 4 * pair + 4)] as unknown as EvaluatedBox["box"];
}
