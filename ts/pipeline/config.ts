/**
 * Reads cassl.yaml. What comes out is the RunConfig of the protocol, so that file, wire and worker agree by type.
 * The controller checks incoming runs with the same function.
 */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { CasslError } from "../core/errors.js";
import { readYaml } from "../core/yaml.js";
import type { RunConfig } from "../gen/cassl/v1/run.js";
import { isLocalFolder } from "../images/places.js";
import { checkAcrossFields } from "./config-checks.js";
import { type Config, configFileSchema, configSchema, GATE_NAMES, sharedSolverSchema } from "./config-schema.js";
import { describeIssue, invalid } from "./describe-issue.js";

export {
  ARMS,
  type Arm,
  CARRIED_PARTS,
  type Config,
  type ExecutorName,
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
