/** The commented cassl.yaml that `cassl init` writes, made from the schema: every field with its default, range and meaning. */
import { stringify } from "yaml";
import { configJsonSchema } from "./config.js";

/** The part of JSON Schema that the schema of cassl.yaml uses. */
interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

/** What users replace. A field with neither default nor placeholder is written as a comment. */
const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  name: "my-detector",
  "data.labeled.annotations": "data/train.json",
  "data.labeled.images": "data/train",
  "data.unlabeled.images": ["data/unlabeled"],
  "data.validation.annotations": "data/val.json",
  "data.validation.images": "data/val",
};

const HEADER = `# The configuration of a run: \`cassl run cassl.yaml\`.
# Every field is here with its default: what you delete keeps it. Replace the name and the paths under \`data\`,
# which are relative to this file. What is commented out has no default: without \`data.labeled.take\`, all labeled
# images are used.
`;

const WIDTH = 120;

/** The bound that every count has: no news to users. */
const INT32_MAX = 2 ** 31 - 1;

export function configTemplate(): string {
  return `${HEADER}${fields(configJsonSchema(), []).join("\n")}\n`;
}

function fields({ properties = {} }: Schema, path: readonly string[]): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => field(schema, [...path, name]));
}

function field(schema: Schema, path: readonly string[]): string[] {
  const indent = "  ".repeat(path.length - 1);
  const key = path.at(-1) as string;
  if (isLeftOut(path)) {
    const inner = path[0] === "pseudo_labeler" ? {} : (schema.properties ?? {});
    const explained = Object.entries(inner).flatMap(([name, one]) => commented(`${indent}  # ${name}:`, explain(one)));
    return [...commented(`${indent}# ${key}:`, schema.description as string), ...explained];
  }
  if (isStageSolver(path)) return commented(`${indent}${key}: {}`, schema.description as string);
  if (schema.properties !== undefined) {
    const gap = path.length === 1 ? [""] : [];
    return [...gap, ...commented(`${indent}${key}:`, schema.description as string), ...fields(schema, path)];
  }
  const value = PLACEHOLDERS[path.join(".")] ?? schema.default;
  const entry = value === undefined ? `# ${key}:` : `${key}: ${toYaml(value)}`;
  return commented(`${indent}${entry}`, explain(schema));
}

/** The comment stands behind the entry, or above it where the line would be too long. */
function commented(entry: string, comment: string): string[] {
  const line = `${entry} # ${comment}`;
  return line.length <= WIDTH ? [line] : [`${/^ */.exec(entry)?.[0]}# ${comment}`, entry];
}

function toYaml(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", flowCollectionPadding: false }).trim();
}

/** Each stage's solver has the fields of the shared one: once is enough. */
function isStageSolver(path: readonly string[]): boolean {
  return path[0] === "stages" && path.at(-1) === "solver";
}

/** What most leave out. The fields of the pseudo-labeler are those of the detector. */
function isLeftOut(path: readonly string[]): boolean {
  return path[0] === "pseudo_labeler" || path.at(-1) === "detectron2";
}

/** What the field means, its default and what it may be. */
function explain(schema: Schema): string {
  const facts = [
    ...(schema.default === undefined ? [] : [`default ${toYaml(schema.default)}`]),
    ...choices(schema),
    ...range(schema),
  ];
  return facts.length === 0 ? (schema.description as string) : `${schema.description} (${facts.join("; ")})`;
}

function choices({ items, enum: values }: Schema): string[] {
  if (values !== undefined) return [`one of ${values.join(", ")}`];
  return items?.enum === undefined ? [] : [`some of ${items.enum.join(", ")}`];
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema): string[] {
  const says = (text: string, bound: number | undefined): string[] => (bound === undefined ? [] : [`${text} ${bound}`]);
  return [
    ...says("at least", minimum),
    ...says("above", exclusiveMinimum),
    ...says("at most", maximum === INT32_MAX ? undefined : maximum),
    ...says("below", exclusiveMaximum),
    ...says("a multiple of", multipleOf),
  ];
}
