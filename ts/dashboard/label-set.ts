/** What a pseudo-labeler has predicted, as the browser of pseudo labels selects among it at any score. */
import { join, relative, sep } from "node:path";
import type { ControllerParts } from "../controller/controller.js";
import {
  categoriesOf,
  findStoredLabels,
  isClassAgnostic,
  labeledCategories,
  type StoredLabels,
} from "../controller/stored-labels.js";
import { type Category, type Dataset, type DatasetImage, objectCategory, objectsOf } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { readAnnotations } from "../data/formats/read-annotations.js";
import { decodeManifest } from "../data/manifest.js";
import { isLocalFolder } from "../images/places.js";
import { readPredictions } from "../labels/predictions.js";
import { selectFromImage } from "../labels/select.js";
import type { Config } from "../pipeline/config.js";
import { maskPath, stripWidth } from "../report/mask-path.js";
import { createRecent } from "./recent.js";
import { BOX_NUMBERS, type ImageMask, type ImageSet, type LabelFile, type LabelSet } from "./wire/labels.js";

export interface LabelSets {
  /** @param scope empty: the last round. RUN_NOT_FOUND if the run has no predictions; PSEUDO_LABELS_NOT_FOUND if not of that set. */
  describe(runId: string, scope: string, set: ImageSet): Promise<LabelSet>;
  /** See BOX_NUMBERS. */
  boxes(runId: string, scope: string, set: ImageSet): Promise<Float32Array>;
  /** Of one image; empty without masks. @param side_px of the picture. FILE_NOT_FOUND if it is not of the set. */
  masks(runId: string, scope: string, set: ImageSet, file: string, side_px: number): Promise<(ImageMask | null)[]>;
}

interface Candidates {
  readonly total: number;
  readonly files: readonly LabelFile[];
  readonly boxes: Float32Array;
  /** One a box, as COCO's counts strings; empty without masks. */
  readonly masks: readonly (string | undefined)[];
}

/** The browser holds the boxes of all images that it shows. */
const MOST_IMAGES = 20_000;
const KEPT_BYTES = 96 * 2 ** 20;

type LabelParts = Pick<ControllerParts, "state" | "artifacts" | "roots">;

export function createLabelSets(parts: LabelParts): LabelSets {
  const { state, artifacts } = parts;
  const candidates = createRecent<Candidates>(KEPT_BYTES, sizeOf);

  function read(stored: StoredLabels, set: ImageSet): Promise<Candidates> {
    const source = sourceOf(stored, set);
    return candidates.get(`${source.predictions.sha256} ${source.images.sha256}`, async () => {
      const dataset = decodeManifest(await artifacts.read(source.images.sha256));
      const classes = await categoriesOf(stored, artifacts);
      const truth = set === "held_out" ? truthOf(dataset, classes) : await knownTruth(stored, classes, parts);
      return readCandidates(stored, source.predictions, dataset, truth, artifacts);
    });
  }

  return {
    async describe(runId, scope, set) {
      const stored = findStoredLabels(state, runId, scope === "" ? undefined : scope);
      const { total, files, masks } = await read(stored, set);
      const { threshold } = stored.quality ?? {};
      const categories = await labeledCategories(stored, artifacts);
      return {
        scope: stored.scope,
        scopes: stored.scopes,
        set,
        sets: stored.heldOut === undefined ? ["unlabeled"] : ["unlabeled", "held_out"],
        total,
        files,
        classes: (isClassAgnostic(stored) ? [objectCategory] : categories).map(({ name }) => name),
        categories,
        threshold: stored.selected?.score_threshold,
        curve: (threshold?.curve ?? []).map(({ score, precision, recall }) => ({ score, precision, recall })),
        reviews: state.listReviews(stored.run),
        has_masks: masks.length > 0,
      };
    },
    async boxes(runId, scope, set) {
      return (await read(findStoredLabels(state, runId, scope === "" ? undefined : scope), set)).boxes;
    },
    async masks(runId, scope, set, file, side_px) {
      const stored = findStoredLabels(state, runId, scope === "" ? undefined : scope);
      return masksOf(await read(stored, set), file, side_px);
    },
  };
}

/** Bytes. */
function sizeOf({ boxes, masks }: Candidates): number {
  return masks.reduce((sum, counts) => sum + (counts?.length ?? 0), boxes.byteLength);
}

function masksOf({ files, boxes, masks }: Candidates, name: string, side_px: number): (ImageMask | null)[] {
  const index = files.findIndex((file) => file.name === name);
  const file = files[index];
  if (file === undefined) throw noSuchImage(name);
  if (masks.length === 0) return [];
  const start = files.slice(0, index).reduce((sum, { boxes }) => sum + boxes, 0);
  const stripPx = stripWidth(file, side_px);
  return masks.slice(start, start + file.boxes).map((counts, row) => {
    if (counts === undefined) return null;
    const [x = 0, y = 0, width = 0, height = 0] = boxes.subarray(BOX_NUMBERS * (start + row));
    return { counts, path: maskPath(counts, file.height_px, stripPx), box_xywh: [x, y, width, height] };
  });
}

function noSuchImage(name: string): CasslError {
  const message = `${JSON.stringify(name.slice(0, 200))} is not among the images that are shown.`;
  return new CasslError("FILE_NOT_FOUND", message, "Start from the pseudo labels of the run.");
}

function sourceOf({ run, scope, predictions, curated, heldOut }: StoredLabels, set: ImageSet) {
  if (set === "unlabeled") return { predictions, images: curated.unlabeled };
  if (heldOut !== undefined) return heldOut;
  const message = `The run \`${run}\` has no predictions of ${scope} on held-out images.`;
  throw new CasslError("PSEUDO_LABELS_NOT_FOUND", message, "Look at the unlabeled images.");
}

/**
 * Selected without a threshold: as a better box decides about a worse one and never the other way, the selection at any
 * threshold is those of these boxes that reach it.
 */
async function readCandidates(
  { config }: StoredLabels,
  predictions: StoredLabels["predictions"],
  { images }: Dataset,
  truth: ReadonlyMap<string, readonly number[]>,
  artifacts: LabelParts["artifacts"],
): Promise<Candidates> {
  const rules = (config as Config).stages.pseudo_label.select;
  const files: LabelFile[] = [];
  const numbers: number[] = [];
  const masks: (string | undefined)[] = [];
  for await (const predicted of readPredictions(predictions, images.length, artifacts)) {
    const image = images[predicted.imageIndex] as DatasetImage;
    const { annotations } = selectFromImage(predicted, image, { ...rules, score_threshold: 0 });
    for (const { box_xywh, score, class_index } of annotations) numbers.push(...box_xywh, score, class_index);
    if (predicted.masks !== undefined) masks.push(...annotations.map(({ mask }) => mask));
    const { file_name: name, width_px, height_px } = image;
    const known = truth.get(name);
    files.push({
      name,
      width_px,
      height_px,
      boxes: annotations.length,
      ...(known === undefined ? {} : { truth: known }),
    });
    if (files.length === MOST_IMAGES) break;
  }
  if (numbers.length % BOX_NUMBERS !== 0) throw new Error("A box has lost a number.");
  return { total: images.length, files, boxes: Float32Array.from(numbers), masks };
}

/** @param classes of the predictions: where these have one, all objects are of it. */
function truthOf({ images, categories }: Dataset, classes: readonly Category[]): Map<string, number[]> {
  return new Map(images.map((image) => [image.file_name, numbersOf(image, categories, classes)]));
}

function numbersOf(
  image: Pick<DatasetImage, "annotations">,
  categories: readonly Category[],
  classes: readonly Category[],
): number[] {
  return objectsOf(image).flatMap(({ box_xywh, class_index }) => {
    const id = categories[class_index]?.id;
    const index = classes.length === 1 ? 0 : classes.findIndex((category) => category.id === id);
    return [...box_xywh, index];
  });
}

/** Of images that have labels which the run was not given: those that `take` or a split has left out. */
async function knownTruth(
  { config, curated }: StoredLabels,
  classes: readonly Category[],
  { roots }: LabelParts,
): Promise<Map<string, number[]>> {
  const labeled = config.data?.labeled;
  if (labeled === undefined || !config.data?.unlabeled?.rest_of_labeled || !isLocalFolder(labeled.images))
    return new Map();
  roots.check(labeled.annotations);
  const { annotations, images: folder, split } = labeled;
  const format = labeled.format as "auto";
  const source = { annotations, images: folder, format, ...(split === undefined ? {} : { split }) };
  // The files may have gone since the run was made; its pseudo labels are still there.
  const set = await readAnnotations(source, "clip").catch(() => undefined);
  if (set === undefined) return new Map();
  const nameOf = (file: string): string =>
    relative(curated.image_root, join(set.imageFolder ?? folder, file))
      .split(sep)
      .join("/");
  return new Map(set.images.map((image) => [nameOf(image.file_name), numbersOf(image, set.categories, classes)]));
}
