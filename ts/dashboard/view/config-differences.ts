/** Configurations side by side. Pure functions. */

/** A field of the configurations. */
export interface Setting {
  /** Such as `stages.warmup.solver.iterations`. */
  readonly path: string;
  /** One a configuration; empty where it has no such field. */
  readonly values: readonly string[];
  readonly differs: boolean;
}

/** Every field that one of them has, in the order in which they come. Lists are one value. */
export function settingsOf(configs: readonly unknown[]): Setting[] {
  const flat = configs.map((config) => new Map(leavesOf("", config)));
  const paths = [...new Set(flat.flatMap((leaves) => [...leaves.keys()]))];
  return paths.map((path) => {
    const values = flat.map((leaves) => leaves.get(path) ?? "");
    return { path, values, differs: new Set(values).size > 1 };
  });
}

function leavesOf(path: string, value: unknown): [path: string, text: string][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return [[path, value.map(textOf).join(", ") || "none"]];
  if (typeof value !== "object") return [[path, textOf(value)]];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(path === "" ? name : `${path}.${name}`, member));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
