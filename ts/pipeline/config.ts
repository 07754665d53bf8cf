/**
 * Reads cassl.yaml. What comes out is the RunConfig of the protocol, so that file, wire and worker agree by type.
 * The controller checks incoming runs with the same function.
 */
import { dirname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { CasslError } from "../core/errors.js";
import type { RunConfig } from "../gen/cassl/v1/run.js";
import { isLocalFolder } from "../images/places.js";
import {
  type Arm,
  type Config,
  configFileSchema,
  configSchema,
  GATE_NAMES,
  sharedSolverSchema,
} from "./config-schema.js";
import { describeIssue, showValue } from "./describe-issue.js";
import { CONFIGURED_FAMILIES, givesMasks } from "./detector-schema.js";

export {
  ARMS,
  type Arm,
  CARRIED_PARTS,
  type Config,
  type GateName,
  LABELING_ARMS,
  type LabelingArm,
} from "./config-schema.js";
export { GATE_NAMES };

/** Holds as long as schema and protocol agree, which the compiler checks here. */
export function toRunConfig(config: Config): RunConfig {
  return config;
}

/**
 * Checks a parsed cassl.yaml and fills in every default. `solver`, where present, is what each stage's solver starts from.
 * CONFIG_INVALID names the field, the value and, for an unknown key, the nearest known one.
 */
export function parseConfig(input: unknown): Config {
  if (!isObject(input)) throw invalid("The configuration must be a mapping of keys to values", input);
  const { solver: shared = {}, ...rest } = withoutUndefined(input);
  check(z.object({ solver: sharedSolverSchema }), { solver: shared });
  const config = check(configSchema, withSharedSolver(rest, shared));
  checkAcrossFields(config);
  return config;
}

/** The configuration with more gates that do not stop the run. @param names of GATE_NAMES; others have no effect. */
export function withOverriddenGates(config: Config, names: readonly string[]): Config {
  const override = GATE_NAMES.filter((name) => config.gates.override.includes(name) || names.includes(name));
  return { ...config, gates: { ...config.gates, override } };
}

/**
 * Reads the text of a cassl.yaml; its relative paths are relative to the folder of `file`.
 * CONFIG_INVALID as in `parseConfig`, and where the text is not YAML.
 */
export function parseConfigText(text: string, file: string): Config {
  const config = parseConfig(readYaml(text, file));
  const absolute = (path: string): string => resolve(dirname(file), path);
  const imageFolder = (folder: string): string =>
    isLocalFolder(folder) ? absolute(folder) : folder.replace(/\/+$/, "");
  const { labeled, unlabeled, validation } = config.data;
  return {
    ...config,
    ...(config.pretrained === undefined ? {} : { pretrained: absolute(config.pretrained) }),
    data: {
      ...config.data,
      labeled: {
        ...labeled,
        annotations: absolute(labeled.annotations),
        images: imageFolder(labeled.images),
        ...(labeled.split_file === undefined ? {} : { split_file: absolute(labeled.split_file) }),
      },
      unlabeled: { ...unlabeled, images: unlabeled.images.map(absolute) },
      validation: {
        ...validation,
        annotations: absolute(validation.annotations),
        images: imageFolder(validation.images),
      },
    },
  };
}

/** JSON Schema of cassl.yaml, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configFileSchema, { io: "input" });
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

function readYaml(text: string, file: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    const message = `${file} is not YAML: ${(error as Error).message}`;
    throw new CasslError("CONFIG_INVALID", message, "Correct the line.", { cause: error });
  }
}

/** A message of the protocol has a member that is undefined for each field that is absent. */
function withoutUndefined(object: Record<string, unknown>): Record<string, unknown> {
  const members = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members.map(([key, value]) => [key, isObject(value) ? withoutUndefined(value) : value]));
}

function withSharedSolver(config: Record<string, unknown>, shared: unknown): unknown {
  const { stages = {} } = config;
  if (!isObject(stages)) return config;
  const merged = ["pseudo_label", "warmup", "finetune"].map((name): [string, unknown] => {
    const { [name]: stage = {} } = stages;
    if (!isObject(stage)) return [name, stage];
    const { solver = {} } = stage;
    return [name, { ...stage, solver: mergeDeep(shared, solver) }];
  });
  return { ...config, stages: { ...stages, ...Object.fromEntries(merged) } };
}

/** `over` on top of `base`, key by key; what is not an object replaces what was there. */
function mergeDeep(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const merged = Object.entries(over).map(([key, value]) => [key, key in base ? mergeDeep(base[key], value) : value]);
  return { ...base, ...Object.fromEntries(merged) };
}

function checkAcrossFields(config: Config): void {
  const {
    arms,
    data: { labeled, unlabeled },
    gates,
    needs,
  } = config;
  checkTraining(config);
  checkBaselines(config);
  checkDetectors(config);
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

function check<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => describeIssue(issue, configFileSchema, input));
  throw new CasslError(
    "CONFIG_INVALID",
    lines.join("\n"),
    "Correct the configuration; `cassl init` writes one with every field explained.",
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string, value: unknown): CasslError {
  return new CasslError("CONFIG_INVALID", `${message}, not ${showValue(value)}.`, "Correct the configuration.");
}
