/** Which images a part of a YOLO data set has, and which file holds the labels of each. */
import { basename, dirname, join, relative, sep } from "node:path";
import { CasslError } from "../../../core/errors.js";
import { findImages } from "../../images.js";
import { commonFolder, filesUnder, firstOf, isFile, isFolder, withoutExtension } from "../folders.js";
import { type ImageFolder, openImageFolder } from "../image-folder.js";
import { readTextFile, textLines } from "../text-file.js";
import { placesOf, type YoloConfig } from "./yolo-config.js";

export interface YoloImage {
  /** Absolute; where it should be if it is not there. */
  readonly path: string;
  /** The file of its labels; an image without one has no objects. */
  readonly labels: string | undefined;
}

export interface YoloImages {
  readonly imageFolder: string;
  readonly images: readonly YoloImage[];
  /** Files of labels that no image has. */
  readonly orphans: readonly string[];
  /** Files that list images. */
  readonly lists: readonly string[];
}

interface Found {
  readonly folder: string;
  readonly images: readonly YoloImage[];
  readonly orphans?: readonly string[];
  readonly list?: string;
}

/**
 * FILE_NOT_FOUND if a folder or list is not there.
 * CONFIG_INVALID if there are several parts and none is chosen, or if images are not in the folder given for them.
 * @param given folder of the images, where they are elsewhere than the configuration says.
 */
export async function findYoloImages(
  config: YoloConfig,
  split: string | undefined,
  given: string | undefined,
): Promise<YoloImages> {
  const images = await openImageFolder(given);
  const found: Found[] = [];
  for (const entry of chooseSplit(config, split)) found.push(await findEntry(config, entry, images));
  const all = found.flatMap((entry) => entry.images);
  const imageFolder = given ?? commonFolder(found.map(({ folder }) => folder));
  const outside = all.find(({ path }) => relative(imageFolder, path).startsWith(`..${sep}`));
  if (outside !== undefined) {
    const message = `The image ${outside.path} of ${config.file} is not in ${imageFolder}.`;
    throw new CasslError("CONFIG_INVALID", message, "Give the folder that holds all images of the data set.");
  }
  return {
    imageFolder,
    images: all,
    orphans: found.flatMap(({ orphans = [] }) => orphans),
    lists: found.flatMap(({ list = [] }) => list),
  };
}

/** Where the labels of an image should be: in `labels` for the last `images` of its path, else beside it. */
export function labelPathOf(image: string): string {
  const names = image.split(sep);
  const at = names.lastIndexOf("images", names.length - 2);
  if (at >= 0) names[at] = "labels";
  return `${withoutExtension(names.join(sep))}.txt`;
}

/** Where tools look for the labels of an image, and where some write them. */
function labelPathsOf(image: string): string[] {
  return [labelPathOf(image), `${withoutExtension(image)}.txt`];
}

function chooseSplit({ file, splits }: YoloConfig, wanted: string | undefined): readonly string[] {
  const names = [...splits.keys()];
  const only = new Set([...splits.values()].map(String)).size === 1 ? names[0] : undefined;
  const chosen = splits.get(wanted ?? only ?? "");
  if (chosen !== undefined) return chosen;
  const message =
    wanted === undefined
      ? `${file} has ${names.length === 0 ? "no parts" : `the parts ${names.join(", ")}`}, and none is chosen.`
      : `${file} has no part ${wanted}; it has ${names.join(", ")}.`;
  throw new CasslError("CONFIG_INVALID", message, "Choose one of its parts as `split`.");
}

async function findEntry(config: YoloConfig, entry: string, images: ImageFolder): Promise<Found> {
  const places = placesOf(config, entry);
  const folder = await firstOf(places, isFolder);
  const there = folder === undefined ? [] : await findImages(folder);
  if (folder !== undefined && there.length > 0) return imagesOfFolder(folder, there);
  const list = await firstOf(places, isFile);
  if (list !== undefined) return imagesOfList(config, list, images);
  const labels = await firstOf(places.map(labelFolderOf), isFolder);
  if (labels !== undefined && images.path !== undefined) return imagesOfLabels(labels, images.path, images.names);
  const message = `${entry}, which ${config.file} names, is no folder with images and no list.`;
  throw new CasslError("FILE_NOT_FOUND", message, "Correct the path, or give the folder of the images.");
}

/** Images with their labels in a folder `labels` beside `images`, or beside them. */
async function imagesOfFolder(folder: string, paths: readonly string[]): Promise<Found> {
  const labelFolder = labelFolderOf(folder);
  const apart = labelFolder !== folder && (await isFolder(labelFolder)) ? await filesUnder(labelFolder, ".txt") : [];
  const known = new Set([...apart, ...(await filesUnder(folder, ".txt"))]);
  const images = paths.map((path) => ({ path, labels: labelPathsOf(path).find((file) => known.has(file)) }));
  return { folder, images, orphans: orphansOf(apart, images) };
}

/** Labels whose images are in another folder, under the same names. */
async function imagesOfLabels(labelFolder: string, folder: string, names: readonly string[]): Promise<Found> {
  const files = await filesUnder(labelFolder, ".txt");
  const known = new Set(files);
  const images = names.flatMap((name) => {
    const labels = join(labelFolder, `${withoutExtension(name)}.txt`);
    return known.has(labels) ? [{ path: join(folder, name), labels }] : [];
  });
  return { folder, images, orphans: orphansOf(files, images) };
}

function orphansOf(files: readonly string[], images: readonly YoloImage[]): string[] {
  const used = new Set(images.map(({ labels }) => labels));
  return files.filter((file) => !used.has(file));
}

async function imagesOfList(config: YoloConfig, list: string, folder: ImageFolder): Promise<Found> {
  const lines = textLines(await readTextFile(list)).map(({ line }) => line);
  const images: YoloImage[] = [];
  for (const line of lines) images.push(await listedImage(placesOf(config, line, dirname(list)), line, folder));
  const folders = images.length === 0 ? [dirname(list)] : images.map(({ path }) => dirname(path));
  return { folder: commonFolder(folders), images, list };
}

/** An image that is not where its list says may be in the image folder, under its path or its name. */
async function listedImage(places: readonly string[], line: string, folder: ImageFolder): Promise<YoloImage> {
  const labels = await firstOf(places.flatMap(labelPathsOf), isFile);
  const there = await firstOf(places, isFile);
  const known = folder.find(line.replace(/^(?:\.{0,2}\/)+/, ""), basename(line));
  const elsewhere = folder.path === undefined || known === undefined ? undefined : join(folder.path, known);
  return { path: there ?? elsewhere ?? (places[0] as string), labels };
}

function labelFolderOf(folder: string): string {
  return dirname(labelPathOf(join(folder, "image.jpg")));
}
