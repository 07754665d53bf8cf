/** Images without annotations: a folder, a glob, or a text file with one path a line. */
import { dirname, extname, join, resolve, sep } from "node:path";
import { CasslError } from "../../../core/errors.js";
import { findImages } from "../../images.js";
import { commonFolder } from "../folders.js";
import { readTextFile, textLines } from "../text-file.js";

export interface ImageList {
  /** Absolute; holds all of the images. */
  readonly folder: string;
  /** Absolute, in order and without repetition. Those of a text file need not be there. */
  readonly paths: readonly string[];
}

const GLOB = /[*?]/;

/**
 * FILE_NOT_FOUND if the folder or the text file cannot be read.
 * @param source absolute path. `*` and `?` stand for any characters but `/`, `**` for any folders; relative paths in a
 *   text file are relative to its folder.
 */
export async function readImageList(source: string): Promise<ImageList> {
  if (GLOB.test(source)) return matchingImages(source);
  if (extname(source) !== ".txt") return { folder: source, paths: await findImages(source) };
  const lines = textLines(await readTextFile(source)).map(({ line }) => line);
  const remote = lines.find((line) => /^[a-z0-9]+:\/\//i.test(line));
  if (remote !== undefined) {
    throw new CasslError("ANNOTATIONS_INVALID", `${source} lists ${remote}, which is no path.`, "List files.");
  }
  const paths = [...new Set(lines.map((line) => resolve(dirname(source), line)))].sort();
  const folders = paths.length === 0 ? [dirname(source)] : paths.map(dirname);
  return { folder: commonFolder(folders), paths };
}

async function matchingImages(pattern: string): Promise<ImageList> {
  const names = pattern.split(sep);
  const folder =
    names
      .slice(
        0,
        names.findIndex((name) => GLOB.test(name)),
      )
      .join(sep) || sep;
  const expression = new RegExp(`^${names.map(toExpression).join("")}$`);
  const paths = (await findImages(folder)).filter((path) => expression.test(join(sep, path)));
  return { folder, paths };
}

/** Of one name of a path, with the separator before it. */
function toExpression(name: string, index: number): string {
  if (name === "**") return "(?:/[^/]+)*";
  const escaped = name
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  return index === 0 ? escaped : `/${escaped}`;
}
