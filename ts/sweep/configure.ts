/** A configuration with the values of a trial. Pure. */
import { CasslError } from "../core/errors.js";
import { type Config, parseConfig } from "../pipeline/config.js";
import type { Point } from "./space.js";

const STAGES = ["pseudo_label", "warmup", "finetune"] as const;

/**
 * The configuration with other values; those of `solver` count in every stage. CONFIG_INVALID names a path that it does not have, or a value that it cannot have.
 */
export function configAt(base: Config, point: Point): Config {
  const changed = structuredClone(base) as Record<string, unknown>;
  for (const [path, value] of Object.entries(point)) {
    const paths = path.startsWith("solver.") ? STAGES.map((stage) => `stages.${stage}.${path}`) : [path];
    for (const each of paths) assign(changed, each.split("."), value, path);
  }
  const config = parseConfig(changed);
  if (config.arms.length === 1) return config;
  throw new CasslError(
    "CONFIG_INVALID",
    `\`arms\` is ${JSON.stringify(config.arms)}, but a trial has one arm.`,
    "Give a list of lists of one, such as `arms: [[class_agnostic], [class_specific]]`.",
  );
}

function assign(object: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown, path: string): void {
  if (rest.length === 0 && key !== "__proto__") {
    object[key] = value;
    return;
  }
  const inner = Object.hasOwn(object, key) ? object[key] : undefined;
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) {
    throw new CasslError(
      "CONFIG_INVALID",
      `The configuration has no \`${path}\`: there is no mapping \`${key}\` in it.`,
      "Give dotted paths of fields that `cassl init` writes.",
    );
  }
  assign(inner as Record<string, unknown>, rest, value, path);
}
