/** The pseudo labels of a run, as its clients read them. */
import type { ArtifactStore } from "../core/artifacts.js";
import { xywhAt } from "../core/boxes.js";
import type { Category, DatasetImage } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import type { CuratedData } from "../data/curate.js";
import { decodeManifest } from "../data/manifest.js";
import type {
  PseudoLabel,
  PseudoLabeledImage,
  StreamPseudoLabelsRequest,
  StreamPseudoLabelsResponse,
} from "../gen/cassl/v1/controller_service.js";
import type { Run } from "../gen/cassl/v1/run.js";
import type { ImagePredictions } from "../labels/predictions.js";
import { type PseudoLabels, readPseudoLabels, type SelectedLabels } from "../labels/pseudo-labels.js";
import { LABELING_ARMS } from "../pipeline/config.js";
import { roundScope } from "../pipeline/pipeline.js";
import { type FinishedSteps, stepOutputs } from "./step-outputs.js";

const IMAGES_PER_MESSAGE = 256;
/** A message is cut here, well below what one may have: an image has 100 labels, as a rule. */
const LABELS_PER_MESSAGE = 20_000;

/** Errors are those of StreamPseudoLabels, but for the run's own. */
export async function* streamPseudoLabels(
  { arm, skip_images, round }: StreamPseudoLabelsRequest,
  run: Run,
  state: FinishedSteps,
  artifacts: ArtifactStore,
): AsyncGenerator<StreamPseudoLabelsResponse> {
  const { labels, unlabeled } = selectedLabels(run, arm, round || 1, state);
  const { images } = decodeManifest(await artifacts.read(unlabeled.sha256));
  if (skip_images < 0 || skip_images > images.length) {
    const message = `\`skip_images\` is ${skip_images}, and there are ${images.length} images.`;
    throw new CasslError("REQUEST_INVALID", message, "Give how many images have arrived.");
  }
  let page: PseudoLabeledImage[] = [];
  let count = 0;
  for await (const image of labeledImages(images, await readPseudoLabels(await artifacts.path(labels.sha256)))) {
    if (image.image_id <= skip_images) continue;
    page.push(image);
    count += image.labels.length;
    if (page.length < IMAGES_PER_MESSAGE && count < LABELS_PER_MESSAGE) continue;
    yield { images: page };
    [page, count] = [[], 0];
  }
  if (page.length > 0) yield { images: page };
}

/** What the arm's step `select` has left, in this run or in an earlier one that it shares the step with, and of which images. */
function selectedLabels({ run_id, config }: Run, arm: string, round: number, state: FinishedSteps) {
  const arms = LABELING_ARMS.filter((name) => config?.arms.includes(name));
  if (!arms.some((name) => name === arm)) {
    const message = `The run \`${run_id}\` has no arm ${JSON.stringify(arm.slice(0, 100))} with pseudo labels.`;
    const remedy = `Name one of its arms: ${arms.join(", ") || "it has none"}.`;
    throw new CasslError("PSEUDO_LABELS_NOT_FOUND", message, remedy);
  }
  const rounds = config?.stages?.warmup?.rounds ?? 1;
  if (round < 1 || round > rounds) {
    const message = `\`round\` is ${round}, and the run \`${run_id}\` has ${rounds}.`;
    throw new CasslError("REQUEST_INVALID", message, "Give a number from 1 to that, or 0 for the first.");
  }
  const outputs = stepOutputs(run_id, state);
  const curated = outputs.get("curate") as CuratedData | undefined;
  const selected = outputs.get(`${roundScope(arm, round)}/select`) as SelectedLabels | undefined;
  if (curated !== undefined && selected !== undefined) return { labels: selected.labels, unlabeled: curated.unlabeled };
  const message = `The run \`${run_id}\` has not selected pseudo labels of the arm ${arm}, round ${round}, yet.`;
  const remedy = "Wait for its step `select`; WatchRun tells when it is done.";
  throw new CasslError("PSEUDO_LABELS_NOT_FOUND", message, remedy);
}

/** Every image of the unlabeled set, also those without pseudo labels. */
async function* labeledImages(
  images: readonly DatasetImage[],
  { categories, images: labeled }: PseudoLabels,
): AsyncGenerator<PseudoLabeledImage> {
  let next = 0;
  for await (const labels of labeled) {
    for (; next < labels.imageIndex; next++) yield toMessage(images[next] as DatasetImage, []);
    yield toMessage(images[next++] as DatasetImage, labelsOf(labels, categories));
  }
  for (; next < images.length; next++) yield toMessage(images[next] as DatasetImage, []);
}

function toMessage(image: DatasetImage, labels: PseudoLabel[]): PseudoLabeledImage {
  const { id, file_name, sha256, width_px, height_px } = image;
  return { image_id: id, file_name, sha256, width_px, height_px, labels };
}

function labelsOf({ boxXyxy, score, classIndex }: ImagePredictions, categories: readonly Category[]): PseudoLabel[] {
  return Array.from(score, (value, row) => ({
    box_xywh: [...xywhAt(boxXyxy, row)],
    category_id: categories[classIndex[row] as number]?.id as number,
    score: value,
  }));
}
