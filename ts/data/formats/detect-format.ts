/** Tells the format of annotations by what their path is. */
import { extname, join } from "node:path";
import { CasslError } from "../../core/errors.js";
import { isFolder, namesIn } from "./folders.js";
import type { Format } from "./source-set.js";
import { isVoc } from "./voc/voc-layout.js";
import { findYoloConfig } from "./yolo/yolo-config.js";

const BY_EXTENSION: Readonly<Record<string, Format>> = {
  ".json": "coco",
  ".yaml": "yolo",
  ".yml": "yolo",
  ".data": "yolo",
  ".names": "yolo",
  ".csv": "openimages",
  ".xml": "voc",
  ".txt": "images",
};

/**
 * A folder without annotations is one of plain images, as is what has `*` or `?` in it.
 * CONFIG_INVALID if a file has an extension that no format has, or a folder holds annotations of several formats.
 */
export async function detectFormat(path: string): Promise<Format> {
  if (await isFolder(path)) return detectInFolder(path);
  if (await isVoc(path)) return "voc";
  if (/[*?]/.test(path)) return "images";
  const format = path.endsWith("classes.txt") ? "yolo" : BY_EXTENSION[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  const message = `No format of annotations is known by the name of ${path}.`;
  throw new CasslError("CONFIG_INVALID", message, "Say which format it is, or give another file or folder.");
}

/**
 * The file that a format starts from, where a folder may be given for it; otherwise the path.
 * ANNOTATIONS_INVALID if the folder has none; CONFIG_INVALID if it has several.
 */
export async function mainFileOf(format: Format, path: string): Promise<string> {
  if (format === "voc" || format === "images" || !(await isFolder(path))) return path;
  const files = format === "yolo" ? [(await findYoloConfig(path)) ?? []].flat() : await filesOf(path, format);
  const [file] = files;
  if (file !== undefined && files.length === 1) return file;
  if (file === undefined) {
    const message = `The folder ${path} has no file of ${format} annotations.`;
    throw new CasslError("ANNOTATIONS_INVALID", message, "Give the file itself, or another format.");
  }
  const [, second] = files;
  const message = `The folder ${path} has ${files.length} files of annotations, such as ${file} and ${second}.`;
  throw new CasslError("CONFIG_INVALID", message, "Give one of the files.");
}

async function detectInFolder(folder: string): Promise<Format> {
  const isYolo = (await findYoloConfig(folder)) !== undefined;
  const found: Format[] = [
    ...(isYolo ? (["yolo"] as const) : []),
    ...((await isVoc(folder)) ? (["voc"] as const) : []),
    ...((await filesOf(folder, "coco")).length > 0 ? (["coco"] as const) : []),
    ...((await filesOf(folder, "openimages")).length > 0 ? (["openimages"] as const) : []),
  ];
  if (found.length <= 1) return found[0] ?? "images";
  const message = `The folder ${folder} has annotations of several formats: ${found.join(", ")}.`;
  throw new CasslError("CONFIG_INVALID", message, "Say which format to read, or give its file.");
}

/** JSON or CSV files in a folder, or in its folder `annotations`. */
async function filesOf(folder: string, format: "coco" | "openimages"): Promise<string[]> {
  const extension = format === "coco" ? ".json" : ".csv";
  const inside = async (place: string): Promise<string[]> =>
    (await namesIn(place))
      .filter((name) => extname(name).toLowerCase() === extension && !name.includes("class-descriptions"))
      .map((name) => join(place, name));
  return [...(await inside(folder)), ...(await inside(join(folder, "annotations")))];
}
