/**
 * cassl.yaml: its schema, defaults and ranges. The output of the schema is the RunConfig of the protocol,
 * so that file, wire and worker agree by type. The controller checks incoming runs with the same schema.
 */
import { dirname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { CasslError } from "../core/errors.js";
import type { RunConfig } from "../gen/cassl/v1/run.js";

export const ARMS = ["supervised", "class_specific", "class_agnostic"] as const;
export type Arm = (typeof ARMS)[number];

const unit = z.number().min(0).max(1);
const count = z.int().min(1);
const positive = z.number().positive();

const augmentation = z.strictObject({
  flip_probability: unit.default(0.5),
  min_zoom: positive.max(1).default(0.75),
  max_zoom: z.number().min(1).max(4).default(1.25),
  color_jitter: unit.default(0.2),
});

const solver = z.strictObject({
  iterations: count.default(300),
  images_per_batch: count.default(8),
  learning_rate: positive.default(0.002),
  lr_ramp_iterations: z.int().min(0).default(30),
  weight_decay: z.number().min(0).default(0.05),
  gradient_clip_norm: z.number().min(0).default(10),
  ema_decay: z.number().min(0).lt(1).default(0.99),
  frozen_stages: z.int().min(-1).default(2),
  backbone_lr_factor: z.number().min(0).max(1).default(0.25),
  precision: z.enum(["auto", "float32"]).default("auto"),
  checkpoint_every_iterations: count.default(50),
  augmentation: augmentation.prefault({}),
});

const predict = z.strictObject({
  score_threshold: unit.default(0.05),
  nms_iou: unit.default(0.6),
  max_candidates: count.default(1000),
  max_detections: count.default(100),
  images_per_batch: count.default(16),
  shard_size: count.default(64),
});

const select = z.strictObject({
  score_threshold: unit.default(0.4),
  nms_iou: unit.default(0.6),
  max_per_image: count.default(100),
  min_side_px: z.number().min(0).default(2),
});

const path = z.string().min(1);
const annotated = z.strictObject({ annotations: path, images: path });

const runSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must start with a letter or digit and hold only letters, digits, . _ -"),
  seed: z.int().min(0).max(2 ** 32 - 1).default(0),
  arms: z.array(z.enum(ARMS)).min(1).default(["supervised", "class_agnostic"]),
  data: z.strictObject({
    labeled: annotated.extend({ take: count.optional() }),
    unlabeled: z
      .strictObject({ images: z.array(path).default([]), rest_of_labeled: z.boolean().default(false) })
      .prefault({}),
    validation: annotated,
    bad_images: z.enum(["error", "drop"]).default("error"),
    bad_boxes: z.enum(["error", "clip", "drop"]).default("error"),
  }),
  detector: z
    .strictObject({
      family: z.enum(["light"]).default("light"),
      backbone_weights: z.enum(["imagenet", "none"]).default("imagenet"),
      input_width_px: z.int().min(64).max(4096).multipleOf(32).default(256),
      input_height_px: z.int().min(64).max(4096).multipleOf(32).default(192),
      fpn_channels: z.int().min(16).max(512).multipleOf(16).default(64),
      head_convolutions: z.int().min(0).max(8).default(2),
      strides_px: z.array(z.literal([8, 16, 32, 64, 128])).min(1).default([8, 16, 32]),
    })
    .prefault({}),
  stages: z
    .strictObject({
      pseudo_label: z
        .strictObject({ solver: solver.prefault({}), predict: predict.prefault({}), select: select.prefault({}) })
        .prefault({}),
      warmup: z.strictObject({ solver: solver.prefault({}) }).prefault({}),
      finetune: z
        .strictObject({
          solver: solver.prefault({}),
          reinitialize: z.enum(["class_predictor", "classification_tower"]).default("class_predictor"),
          predict: predict.prefault({}),
        })
        .prefault({}),
    })
    .prefault({}),
  gates: z
    .strictObject({
      min_box_ratio: z.number().min(0).default(0.2),
      max_box_ratio: positive.default(5),
      max_empty_share: unit.default(0.8),
    })
    .prefault({}),
});

/** A whole configuration. Assignable to the RunConfig of the protocol, which the compiler checks in `toRunConfig`. */
export type Config = z.output<typeof runSchema>;

export function toRunConfig(config: Config): RunConfig {
  return config;
}

/**
 * Checks a parsed cassl.yaml and fills in every default. `solver`, where present, is what each stage's solver starts from.
 * CONFIG_INVALID names the field, the value and, for an unknown key, the nearest known one.
 */
export function parseConfig(input: unknown): Config {
  if (!isObject(input)) throw invalid("The configuration must be a mapping of keys to values", input);
  const { solver: shared = {}, ...rest } = input;
  checked(z.object({ solver }), { solver: shared });
  const config = checked(runSchema, withSharedSolver(rest, shared));
  checkAcrossFields(config);
  return config;
}

/**
 * Reads the text of a cassl.yaml; its relative paths are relative to the folder of `file`.
 * CONFIG_INVALID as in `parseConfig`, and where the text is not YAML.
 */
export function parseConfigText(text: string, file: string): Config {
  let input: unknown;
  try {
    input = parseYaml(text);
  } catch (error) {
    throw new CasslError("CONFIG_INVALID", `${file} is not YAML: ${(error as Error).message}`, "Correct the line.", {
      cause: error,
    });
  }
  const config = parseConfig(input);
  const absolute = (path: string): string => resolve(dirname(file), path);
  const { labeled, unlabeled, validation } = config.data;
  return {
    ...config,
    data: {
      ...config.data,
      labeled: { ...labeled, annotations: absolute(labeled.annotations), images: absolute(labeled.images) },
      unlabeled: { ...unlabeled, images: unlabeled.images.map(absolute) },
      validation: { annotations: absolute(validation.annotations), images: absolute(validation.images) },
    },
  };
}

/** JSON Schema of cassl.yaml, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(runSchema.extend({ solver: solver.partial().optional() }), { io: "input" });
}

function withSharedSolver(config: Record<string, unknown>, shared: unknown): unknown {
  const stages = config["stages"] ?? {};
  if (!isObject(stages)) return config;
  const merged = ["pseudo_label", "warmup", "finetune"].map((name) => {
    const stage = stages[name] ?? {};
    return [name, isObject(stage) ? { ...stage, solver: mergeDeep(shared, stage["solver"] ?? {}) } : stage];
  });
  return { ...config, stages: { ...stages, ...Object.fromEntries(merged) } };
}

/** `over` on top of `base`, key by key; what is not an object replaces what was there. */
function mergeDeep(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const merged = Object.entries(over).map(([key, value]) => [key, key in base ? mergeDeep(base[key], value) : value]);
  return { ...base, ...Object.fromEntries(merged) };
}

function checkAcrossFields({ arms, data, stages }: Config): void {
  const needUnlabeled = arms.filter((arm) => arm !== "supervised");
  if (needUnlabeled.length > 0 && data.unlabeled.images.length === 0 && !data.unlabeled.rest_of_labeled) {
    throw new CasslError(
      "DATASET_EMPTY",
      `data.unlabeled names no images, which the arms ${needUnlabeled.join(", ")} need.`,
      "Name folders in data.unlabeled.images, or choose `arms: [supervised]`.",
    );
  }
  for (const [name, { solver }] of Object.entries(stages)) {
    if (solver.lr_ramp_iterations >= solver.iterations) {
      throw invalid(`stages.${name}.solver.lr_ramp_iterations must be below iterations, ${solver.iterations}`, solver.lr_ramp_iterations);
    }
  }
}

function checked<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => describeIssue(issue, schema, input));
  throw new CasslError("CONFIG_INVALID", lines.join("\n"), "Correct the configuration; `cassl init` writes one with every field explained.");
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): string {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys
      .map((key) => `Unknown key \`${[...issue.path, key].join(".")}\`. The nearest valid key is \`${nearest(key, known)}\`.`)
      .join("\n");
  }
  const value = issue.path.reduce<unknown>((at, key) => (isObject(at) || Array.isArray(at) ? (at as never)[key] : undefined), input);
  if (value === undefined) return `\`${path}\` is missing.`;
  return `\`${path}\` is ${JSON.stringify(value)}: ${issue.message}.`;
}

/** The keys of the object that `path` leads to in a schema of nested objects. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.ZodType = schema;
  for (const key of path) {
    const inner = unwrapped(at);
    at = (inner instanceof z.ZodObject ? (inner.shape as Record<PropertyKey, z.ZodType>)[key] : undefined) ?? at;
  }
  const inner = unwrapped(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrapped(schema: z.ZodType): z.ZodType {
  const isWrapper = schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional;
  return isWrapper ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}

function nearest(key: string, known: readonly string[]): string {
  const distances = known.map((name) => editDistance(key, name));
  return known[distances.indexOf(Math.min(...distances))] ?? "";
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string, value: unknown): CasslError {
  return new CasslError("CONFIG_INVALID", `${message}, not ${JSON.stringify(value)}.`, "Correct the configuration.");
}
