/** Images without annotations: a folder, a glob, or a text file with one path a line. */
import { dirname, extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { CasslError } from "../../../core/errors.js";
import { isUri } from "../../../images/places.js";
import { findImages } from "../../images.js";
import { commonFolder } from "../folders.js";
import { readTextFile, textLines } from "../text-file.js";

export interface ImageList {
  /** Absolute; holds all of the images that are on this machine. */
  readonly folder: string;
  /** Absolute, or URIs; in order and without repetition. Those of a text file need not be there. */
  readonly paths: readonly string[];
}

const GLOB = /[*?]/;

/**
 * FILE_NOT_FOUND if the folder or the text file cannot be read.
 * ANNOTATIONS_INVALID if a text file has a line that is no URI, although it starts like one.
 * @param source absolute path. `*` and `?` stand for any characters but `/`, `**` for any folders. A text file has
 *   a path, relative to its folder, or a URI on each line.
 */
export async function readImageList(source: string): Promise<ImageList> {
  if (GLOB.test(source)) return matchingImages(source);
  if (extname(source) !== ".txt") return { folder: source, paths: await findImages(source) };
  const lines = textLines(await readTextFile(source)).map(({ line }) => line);
  const places = lines.map((line) => placeOf(line, source));
  const paths = [...new Set(places)].sort();
  const folders = paths.filter((path) => !isUri(path)).map(dirname);
  return { folder: folders.length === 0 ? dirname(source) : commonFolder(folders), paths };
}

/** A path, relative to the text file that it stands in, or a URI. */
function placeOf(line: string, file: string): string {
  if (!isUri(line)) return resolve(dirname(file), line);
  try {
    return line.toLowerCase().startsWith("file:") ? fileURLToPath(line) : new URL(line).href;
  } catch (error) {
    const message = `${file} lists ${line}, which is no URI: ${(error as Error).message}.`;
    throw new CasslError("ANNOTATIONS_INVALID", message, "Correct the line.", { cause: error });
  }
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
