/** What a sweep varies: dotted paths of cassl.yaml, each with choices or a range. Pure. */
import { z } from "zod";
import { CasslError } from "../core/errors.js";
import { readYaml } from "../core/yaml.js";

/** One of these values, or a number between two. `step` 0: any number. */
export type Dimension =
  | { readonly path: string; readonly choices: readonly unknown[] }
  | {
      readonly path: string;
      readonly low: number;
      readonly high: number;
      readonly step: number;
      readonly log: boolean;
      readonly integer: boolean;
    };

/** A value for each path of a space. */
export type Point = Readonly<Record<string, unknown>>;

const rangeSchema = z.strictObject({
  min: z.number(),
  max: z.number(),
  step: z.number().positive().optional(),
  log: z.boolean().default(false),
});

/** What must not be varied, and why not. */
const FIXED: Readonly<Record<string, string>> = {
  name: "it changes nothing",
  seed: "trials could not be compared",
  "data.validation": "trials could not be compared",
  "detector.preset": "it only fills what the detector leaves out, and nothing is left out any more",
};

/**
 * @param text YAML: a mapping of dotted paths to lists, or to {min, max, log, step}.
 * @throws CONFIG_INVALID names the path that is wrong.
 */
export function parseSpace(text: string, file: string): Dimension[] {
  const entries = readYaml(text, file);
  if (typeof entries !== "object" || entries === null || Array.isArray(entries)) {
    throw invalid(`${file} is not a mapping of paths to values.`, SHAPE);
  }
  const dimensions = Object.entries(entries).map(([path, values]) => parseDimension(path, values));
  if (dimensions.length === 0) throw invalid(`${file} names nothing to vary.`, SHAPE);
  return dimensions;
}

const SHAPE = "Give lines such as `solver.learning_rate: {min: 0.0005, max: 0.005, log: true}` or `path: [a, b]`.";

function parseDimension(path: string, values: unknown): Dimension {
  const [, why] = Object.entries(FIXED).find(([name]) => path === name || path.startsWith(`${name}.`)) ?? [];
  if (why !== undefined) throw invalid(`\`${path}\` cannot be varied: ${why}.`, "Leave it out of the space.");
  if (Array.isArray(values)) {
    if (values.length === 0) throw invalid(`\`${path}\` has no values.`, "Give one or more.");
    return { path, choices: values };
  }
  const parsed = rangeSchema.safeParse(values);
  if (!parsed.success) throw invalid(`\`${path}\` is ${JSON.stringify(values)}, neither a list nor a range.`, SHAPE);
  const { min, max, log, step = 0 } = parsed.data;
  if (max < min || (log && (min <= 0 || step > 0))) {
    throw invalid(
      `\`${path}\` is the range ${JSON.stringify(values)}.`,
      "`min` must not be above `max`; with `log` it must be above 0 and without `step`.",
    );
  }
  return { path, low: min, high: max, step, log, integer: [min, max, step].every(Number.isInteger) };
}

/** The points that show whether every value fits the configuration: each value, or end of a range, once. */
export function probes(dimensions: readonly Dimension[]): Point[] {
  const values = (dimension: Dimension): readonly unknown[] =>
    "choices" in dimension ? dimension.choices : [dimension.low, dimension.high];
  return dimensions.flatMap((dimension) => values(dimension).map((value) => ({ [dimension.path]: value })));
}

/** @throws CONFIG_INVALID if a dimension is a range: a grid has choices only. */
export function gridSize(dimensions: readonly Dimension[]): number {
  return dimensions.reduce((size, dimension) => {
    if (!("choices" in dimension)) {
      throw invalid(`\`${dimension.path}\` is a range, but a grid has lists only.`, "Give a list, or use --space.");
    }
    return size * dimension.choices.length;
  }, 1);
}

/** Optimisers know choices by their index. */
export function pointOf(dimensions: readonly Dimension[], drawn: Readonly<Record<string, number>>): Point {
  return Object.fromEntries(
    dimensions.map((dimension) => {
      const value = drawn[dimension.path] as number;
      return [dimension.path, "choices" in dimension ? dimension.choices[value] : value];
    }),
  );
}

function invalid(message: string, remedy: string): CasslError {
  return new CasslError("CONFIG_INVALID", message, remedy);
}
