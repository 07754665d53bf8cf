/** Every field of cassl.yaml, from its JSON Schema. */
import { code, page, plain, table } from "./markdown.js";

/** What of JSON Schema the configuration uses. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly (string | number)[];
  readonly const?: string | number;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** zod's largest number where a field has no limit of its own that is worth telling. */
const NO_LIMIT = 2 ** 31 - 1;

export function configurationReference(schema: Schema): string {
  const fields = fieldsOf(schema, "");
  const sections = [...new Set(fields.map(({ path }) => path.split(".")[0] ?? ""))];
  return page(
    "# Configuration",
    "The fields of `cassl.yaml`. `npx cassl init` writes a file with all of them, and `npx cassl check cassl.yaml` names what is wrong in one. `--set PATH=VALUE` overrides a field by the path that is given here. `solver` stands for the solvers of all three stages, each of which may say more.",
    ...sections.map((section) => sectionText(section, schema.properties?.[section], fields)),
  );
}

function sectionText(section: string, schema: Schema | undefined, fields: readonly Field[]): string {
  const own = fields.filter(({ path }) => path === section || path.startsWith(`${section}.`));
  const about = schema?.properties === undefined ? "" : plain(schema.description ?? "");
  return page(`## ${section}`, about, table(["field", "is", "default", ""], own.map(row)));
}

/** Those that hold a value, in the order of the schema. */
export function fieldsOf({ properties = {}, required = [] }: Schema, prefix: string): Field[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const isRequired = required.includes(name);
    return schema.properties === undefined ? [{ path, schema, isRequired }] : fieldsOf(schema, path);
  });
}

function row({ path, schema, isRequired }: Field): string[] {
  const fallback = schema.default === undefined ? "" : code(JSON.stringify(schema.default));
  return [code(path), kindOf(schema), isRequired ? "must be given" : fallback, plain(schema.description ?? "")];
}

function kindOf(schema: Schema): string {
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants !== undefined) return variants.map(kindOf).join(" or ");
  if (schema.const !== undefined) return code(String(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(", ");
  if (schema.type === "array") return `list of ${kindOf(schema.items ?? {})}`;
  if (schema.properties !== undefined)
    return `{${Object.entries(schema.properties)
      .map(([name, value]) => `${name}: ${kindOf(value)}`)
      .join(", ")}}`;
  const limits = limitsOf(schema);
  return limits === "" ? (schema.type ?? "any") : `${schema.type ?? "any"} ${limits}`;
}

function limitsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema): string {
  return [
    ...(minimum === undefined || minimum <= -NO_LIMIT ? [] : [`>= ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`> ${exclusiveMinimum}`]),
    ...(maximum === undefined || maximum >= NO_LIMIT ? [] : [`<= ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`< ${exclusiveMaximum}`]),
    ...(multipleOf === undefined ? [] : [`multiple of ${multipleOf}`]),
  ].join(", ");
}
