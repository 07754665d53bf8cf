/** The rules of cassl.yaml that concern several fields. */
import { CasslError } from "../core/errors.js";
import { checkAugmentation } from "./augmentation-checks.js";
import type { Arm, Config } from "./config-schema.js";
import { invalid } from "./describe-issue.js";
import { CONFIGURED_FAMILIES, givesMasks } from "./detector-schema.js";

/** What no single field can say. CONFIG_INVALID names the field and what it must agree with. */
export function checkAcrossFields(config: Config): void {
  const {
    arms,
    data: { labeled, unlabeled },
    gates,
    needs,
  } = config;
  checkTraining(config);
  checkBaselines(config);
  checkDetectors(config);
  checkAugmentation(config);
  if (labeled.take !== undefined && labeled.split_file !== undefined) {
    throw invalid(
      "`data.labeled.take` must be left out beside `data.labeled.split_file`, which says what to take",
      labeled.take,
    );
  }
  if (unlabeled.rest_of_labeled && labeled.take === undefined && labeled.split_file === undefined) {
    throw invalid(
      "`data.unlabeled.rest_of_labeled` must be false without `data.labeled.take` or `split_file`, which leave images over",
      true,
    );
  }
  if (unlabeled.images.length === 0 && !unlabeled.rest_of_labeled)
    refuseNoUnlabeled(arms, "data.unlabeled names no images");
  if (gates.min_box_ratio > gates.max_box_ratio) {
    throw invalid(
      `\`gates.min_box_ratio\` must not be above \`max_box_ratio\`, ${gates.max_box_ratio}`,
      gates.min_box_ratio,
    );
  }
  if (needs.device === "cpu" && needs.gpu_memory_gb > 0)
    throw invalid("`needs.gpu_memory_gb` must be 0 where `needs.device` is cpu", needs.gpu_memory_gb);
}

function checkDetectors({ detector, pseudo_labeler, targets }: Config): void {
  const families = [detector.family, ...targets];
  for (const family of families.filter((name) => CONFIGURED_FAMILIES.includes(name))) {
    if (detector.detectron2 !== undefined) continue;
    throw invalid(`\`detector.detectron2\` must say which configuration the family \`${family}\` has`, undefined);
  }
  if (pseudo_labeler === undefined) return;
  if (CONFIGURED_FAMILIES.includes(pseudo_labeler.family) && pseudo_labeler.detectron2 === undefined) {
    throw invalid("`pseudo_labeler.detectron2` must say which configuration the family has", undefined);
  }
  if (givesMasks(detector.family) && !givesMasks(pseudo_labeler.family)) {
    throw invalid(
      `\`pseudo_labeler.family\` must give masks where \`detector.family\`, ${detector.family}, learns them`,
      pseudo_labeler.family,
    );
  }
}

function checkTraining({ detector, stages }: Config): void {
  for (const [name, { solver }] of Object.entries(stages)) {
    const { iterations, lr_ramp_iterations, backbone_pull, images_per_batch, gradient_accumulation } = solver;
    if (lr_ramp_iterations >= iterations) {
      throw invalid(
        `\`stages.${name}.solver.lr_ramp_iterations\` must be below \`iterations\`, ${iterations}`,
        lr_ramp_iterations,
      );
    }
    if (images_per_batch % gradient_accumulation !== 0) {
      throw invalid(
        `\`stages.${name}.solver.gradient_accumulation\` must divide \`images_per_batch\`, ${images_per_batch}`,
        gradient_accumulation,
      );
    }
    if (backbone_pull > 0 && detector.backbone_weights === "none") {
      throw invalid(
        `\`stages.${name}.solver.backbone_pull\` must be 0 where \`detector.backbone_weights\` is none: it would pull to random weights`,
        backbone_pull,
      );
    }
  }
  const { held_out, select } = stages.pseudo_label;
  if (held_out === 0 && select.score_threshold.policy !== "fixed") {
    throw invalid(
      `\`stages.pseudo_label.held_out\` must be above 0 for the score threshold \`${select.score_threshold.policy}\`, which is chosen on held-out images`,
      held_out,
    );
  }
  if (select.nms_of === "masks" && !givesMasks(detector.family)) {
    throw invalid(
      `\`stages.pseudo_label.select.nms_of\` must be boxes, or left out, for the detector family \`${detector.family}\`, which gives no masks`,
      select.nms_of,
    );
  }
  const { carry, class_predictor } = stages.finetune;
  if (class_predictor === "expand" && !carry.includes("classification_tower")) {
    throw invalid(
      "`stages.finetune.carry` must have `classification_tower` where `class_predictor` is expanded: it reads the tower",
      carry,
    );
  }
}

/** Of the arms that are trained. */
function checkBaselines({ arms, detector, targets, stages, baselines }: Config): void {
  const views = stages.warmup.solver.images_per_batch;
  if (arms.includes("self_supervised") && (views < 4 || views % 2 !== 0)) {
    throw invalid(
      "`stages.warmup.solver.images_per_batch` must be even and at least 4 for the arm self_supervised, which learns from pairs of views",
      views,
    );
  }
  const segmenter = [detector.family, ...targets].find(givesMasks);
  if (arms.includes("mean_teacher") && segmenter !== undefined) {
    throw invalid("`detector.family` must be one without masks for the arm mean_teacher, which learns none", segmenter);
  }
  const images = stages.finetune.solver.images_per_batch;
  const labeled = labeledImagesPerBatch(images, baselines.mean_teacher.labeled_share);
  if (arms.includes("mean_teacher") && (labeled < 1 || labeled >= images)) {
    throw invalid(
      `\`baselines.mean_teacher.labeled_share\` must leave a batch of ${images} both labeled and unlabeled images`,
      baselines.mean_teacher.labeled_share,
    );
  }
}

export function labeledImagesPerBatch(imagesPerBatch: number, labeledShare: number): number {
  return Math.round(imagesPerBatch * labeledShare);
}

/** DATASET_EMPTY if one of the arms needs unlabeled images. To be called where there are none. */
export function refuseNoUnlabeled(arms: readonly Arm[], fault: string): void {
  const needy = arms.filter((arm) => arm !== "supervised");
  if (needy.length === 0) return;
  const message = `${fault}, which the arms ${needy.join(", ")} need.`;
  throw new CasslError(
    "DATASET_EMPTY",
    message,
    "Name folders in data.unlabeled.images, or choose `arms: [supervised]`.",
  );
}
