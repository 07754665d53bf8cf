/** The pseudo labels of a run, as its clients read them. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { Category, DatasetImage } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { decodeManifest } from "../data/manifest.js";
import type {
  PseudoLabeledImage,
  StreamPseudoLabelsRequest,
  StreamPseudoLabelsResponse,
} from "../gen/cassl/v1/controller_service.js";
import type { Run, RunEvent } from "../gen/cassl/v1/run.js";
import type { PseudoLabels } from "../pipeline/operations.js";
import type { StepStore } from "../pipeline/step.js";

const IMAGES_PER_MESSAGE = 256;
/** A message is cut here, well below what one may have: an image has 100 labels, as a rule. */
const LABELS_PER_MESSAGE = 20_000;

/** @param events of the run. Errors are those of StreamPseudoLabels, but for the run's own. */
export async function* streamPseudoLabels(
  { arm, skip_images }: StreamPseudoLabelsRequest,
  run: Run,
  events: readonly RunEvent[],
  steps: StepStore,
  artifacts: ArtifactStore,
): AsyncGenerator<StreamPseudoLabelsResponse> {
  const { sha256 } = selectedLabels(run, arm, events, steps);
  const { images, categories } = decodeManifest(await artifacts.read(sha256));
  if (skip_images < 0 || skip_images > images.length) {
    const message = `\`skip_images\` is ${skip_images}, and there are ${images.length} images.`;
    throw new CasslError("REQUEST_INVALID", message, "Give how many images have arrived.");
  }
  let page: PseudoLabeledImage[] = [];
  let labels = 0;
  for (const image of images.slice(skip_images)) {
    page.push(toMessage(image, categories));
    labels += image.annotations.length;
    if (page.length < IMAGES_PER_MESSAGE && labels < LABELS_PER_MESSAGE) continue;
    yield { images: page };
    [page, labels] = [[], 0];
  }
  if (page.length > 0) yield { images: page };
}

/** The manifest that the arm's step `select` has left, in this run or in an earlier one that it shares the step with. */
function selectedLabels({ run_id, config }: Run, arm: string, events: readonly RunEvent[], steps: StepStore) {
  const arms = (config?.arms ?? []).filter((name) => name !== "supervised");
  if (!arms.includes(arm)) {
    const message = `The run \`${run_id}\` has no arm ${JSON.stringify(arm.slice(0, 100))} with pseudo labels.`;
    throw new CasslError(
      "PSEUDO_LABELS_NOT_FOUND",
      message,
      `Name one of its arms: ${arms.join(", ") || "it has none"}.`,
    );
  }
  const keys = events.flatMap(({ event }) =>
    event?.$case === "step_finished" && event.value.step === `${arm}/select` ? [event.value.key] : [],
  );
  const output = steps.findStep(keys.at(-1) ?? "")?.output;
  if (output !== undefined) return (JSON.parse(output) as PseudoLabels).dataset;
  const message = `The run \`${run_id}\` has not selected pseudo labels of the arm ${arm} yet.`;
  throw new CasslError(
    "PSEUDO_LABELS_NOT_FOUND",
    message,
    "Wait for its step `select`; WatchRun tells when it is done.",
  );
}

function toMessage(image: DatasetImage, categories: readonly Category[]): PseudoLabeledImage {
  const { id, file_name, sha256, width_px, height_px, annotations } = image;
  const labels = annotations.map(({ box_xywh, class_index, score = 0 }) => ({
    box_xywh: [...box_xywh],
    category_id: categories[class_index]?.id as number,
    score,
  }));
  return { image_id: id, file_name, sha256, width_px, height_px, labels };
}
