/** The head of a YOLO data set: which classes and parts it has. Ultralytics' data.yaml, darknet's obj.data, or a list of names. */
import { dirname, extname, join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { CasslError } from "../../../core/errors.js";
import { firstOf, isFile, isFolder, namesIn } from "../folders.js";
import { show } from "../show.js";
import { readTextFile, textLines } from "../text-file.js";

export interface YoloConfig {
  readonly file: string;
  /** A file of class names that it names. */
  readonly namesFile?: string;
  /** Class names by class number; the numbers may have gaps. */
  readonly names: ReadonlyMap<number, string>;
  /** Each part with its folders of images or lists of images, as they are written. */
  readonly splits: ReadonlyMap<string, readonly string[]>;
  /** The folders that those may be relative to, the likeliest first. */
  readonly roots: readonly string[];
  /** Whether a line holds keypoints after its box. */
  readonly hasKeypoints: boolean;
}

const YAML = [".yaml", ".yml"];
const SPLITS = ["train", "val", "valid", "test"];
/** What tools write before paths of obj.data, from the folder that darknet is started in. */
const DARKNET_PREFIX = "data/";

/** The file that tells of a YOLO data set; undefined if the file or folder is none. */
export async function findYoloConfig(path: string): Promise<string | undefined> {
  if (!(await isFolder(path))) return isConfigName(path) && (await isFile(path)) ? path : undefined;
  const names = await namesIn(path);
  const usual = ["data.yaml", "data.yml", "dataset.yaml", "obj.data", "classes.txt", "obj.names"];
  const others = names.filter((name) => [".data", ".names"].includes(extname(name)));
  return firstOf(
    [...usual, ...others].map((name) => join(path, name)),
    isFile,
  );
}

/** ANNOTATIONS_INVALID if the file does not tell what classes there are. */
export async function readYoloConfig(file: string): Promise<YoloConfig> {
  const text = await readTextFile(file);
  const folder = dirname(file);
  if (YAML.includes(extname(file))) return fromYaml(file, folder, text);
  if (extname(file) === ".data") return fromDarknet(file, folder, text);
  const images = join(folder, "images");
  const splits = new Map([["all", [(await isFolder(images)) ? images : folder]]]);
  return { file, names: nameLines(text), splits, roots: [folder], hasKeypoints: false };
}

/** The places that a path of the configuration may mean, the likeliest first. */
export function placesOf({ roots }: YoloConfig, path: string, folder?: string): string[] {
  const bases = folder === undefined ? roots : [folder, ...roots];
  const stripped = [DARKNET_PREFIX, "../"].find((prefix) => path.startsWith(prefix));
  const paths = stripped === undefined ? [path] : [path, path.slice(stripped.length)];
  return [...new Set(paths.flatMap((one) => bases.map((base) => resolve(base, one))))];
}

function isConfigName(path: string): boolean {
  return [...YAML, ".data", ".names"].includes(extname(path)) || path.endsWith("classes.txt");
}

function fromYaml(file: string, folder: string, text: string): YoloConfig {
  const yaml = readYaml(file, text);
  const { path, names, kpt_shape } = yaml;
  const root = typeof path === "string" ? [resolve(folder, path)] : [];
  const splits = SPLITS.flatMap((split): [string, string[]][] => {
    const paths = yaml[split];
    const list = Array.isArray(paths) ? paths : [paths];
    return list.every((item) => typeof item === "string") ? [[split, list]] : [];
  });
  return {
    file,
    names: yamlNames(file, names),
    splits: new Map(splits),
    roots: [...root, folder],
    hasKeypoints: kpt_shape !== undefined,
  };
}

function readYaml(file: string, text: string): Record<string, unknown> {
  try {
    const yaml: unknown = parseYaml(text);
    if (typeof yaml === "object" && yaml !== null) return yaml as Record<string, unknown>;
  } catch (error) {
    throw invalid(file, `is not YAML: ${(error as Error).message}`, { cause: error });
  }
  throw invalid(file, "holds no `names`");
}

/** A list, or a mapping of class numbers to names. */
function yamlNames(file: string, names: unknown): Map<number, string> {
  if (typeof names !== "object" || names === null) throw invalid(file, `has the \`names\` ${show(names)}, not a list`);
  const entries = Object.entries(names).map(([key, name]): [number, string] => {
    const number = Number(key);
    if (!Number.isSafeInteger(number) || number < 0) throw invalid(file, `numbers a class ${show(key)}`);
    if (typeof name === "object" || name === "") throw invalid(file, `names class ${key} ${show(name)}, not a text`);
    return [number, String(name)];
  });
  return new Map(entries.sort(([a], [b]) => a - b));
}

async function fromDarknet(file: string, folder: string, text: string): Promise<YoloConfig> {
  const fields = new Map(
    textLines(text).map(({ line }) => line.split("=").map((part) => part.trim()) as [string, string]),
  );
  const bare: YoloConfig = { file, names: new Map(), splits: new Map(), roots: [folder], hasKeypoints: false };
  const names = fields.get("names");
  const namesFile = names === undefined ? undefined : await firstOf(placesOf(bare, names), isFile);
  if (namesFile === undefined) throw invalid(file, `names no file of class names: \`names\` is ${show(names)}`);
  const splits = SPLITS.flatMap((split): [string, string[]][] => {
    const list = fields.get(split);
    return list === undefined ? [] : [[split, [list]]];
  });
  return { ...bare, namesFile, names: nameLines(await readTextFile(namesFile)), splits: new Map(splits) };
}

function nameLines(text: string): Map<number, string> {
  return new Map(textLines(text).map(({ line }, index) => [index, line]));
}

function invalid(file: string, fault: string, options?: ErrorOptions): CasslError {
  const remedy = "Give a data.yaml with `names`, an obj.data, or a folder with classes.txt.";
  return new CasslError("ANNOTATIONS_INVALID", `${file} ${fault}.`, remedy, options);
}
