/** What zod found wrong with a configuration, in the words of its file. */
import { z } from "zod";
import { CasslError } from "../core/errors.js";

/**
 * @param schema of the whole input, to find the nearest valid key in.
 * @returns one line for each fault.
 */
export function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): string[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const unknown = `Unknown key \`${[...issue.path, key].join(".")}\`.`;
      if (known.length === 0) return unknown;
      return `${unknown} The nearest valid key is \`${[...issue.path, nearest(key, known)].join(".")}\`.`;
    });
  }
  const path = issue.path.join(".");
  const value = valueAt(input, issue.path);
  return [value === undefined ? `\`${path}\` is missing.` : `\`${path}\` is ${showValue(value)}: ${issue.message}.`];
}

/** CONFIG_INVALID, which says the value that is wrong. */
export function invalid(message: string, value: unknown): CasslError {
  return new CasslError("CONFIG_INVALID", `${message}, not ${showValue(value)}.`, "Correct the configuration.");
}

/** As YAML would write it. */
function showValue(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "undefined");
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], input);
}

/** The keys of the object that `path` leads to in a schema of nested objects; none where it leads to anything else. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<z.ZodType | undefined>((outer, key) => shapeOf(outer)[key], schema);
  return Object.keys(shapeOf(at));
}

/** The members of an object; of a union of objects those of any. */
function shapeOf(schema: z.ZodType | undefined): Record<PropertyKey, z.ZodType> {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodPipe) return shapeOf(schema.in as z.ZodType);
  if (schema instanceof z.ZodUnion)
    return Object.fromEntries(schema.options.flatMap((one) => Object.entries(shapeOf(one as z.ZodType))));
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return shapeOf(schema.unwrap() as z.ZodType);
  return {};
}

function nearest(key: string, known: readonly string[]): string {
  const distances = known.map((name) => editDistance(key, name));
  return known[distances.indexOf(Math.min(...distances))] as string;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
