/** Where the images of a run come from: annotation files and folders, before anybody has looked into an image. */
import { stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { withCategories } from "../core/categories.js";
import { mapConcurrently } from "../core/concurrency.js";
import type { Category } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import { seededRandom, shuffled } from "../core/random.js";
import type { BadBoxes, BoxCounts } from "./box-policy.js";
import { type ListedImage, readCoco } from "./coco-reader.js";
import { findImages } from "./images.js";
import { readSplit } from "./splits/split-file.js";
import { onlyClasses, takeSplit } from "./splits/take-split.js";

/** `data` of cassl.yaml, with absolute paths. */
export interface DataSources {
  /** `split` names a split file; of `take` and `split` at most one is given. */
  readonly labeled: AnnotatedSource & { readonly take?: number | undefined; readonly split?: string | undefined };
  readonly unlabeled: { readonly images: readonly string[]; readonly rest_of_labeled: boolean };
  readonly validation: AnnotatedSource;
  readonly bad_images: "error" | "drop";
  readonly bad_boxes: BadBoxes;
  /** Images of more pixels cannot be decoded. */
  readonly max_image_pixels: number;
  readonly leak_firewall: {
    readonly enabled: boolean;
    readonly max_distance: number;
    readonly labeled: "error" | "drop";
  };
}

interface AnnotatedSource {
  readonly annotations: string;
  readonly images: string;
}

/** An image that may join a set. */
export interface Candidate {
  readonly split: "labeled" | "unlabeled" | "validation";
  readonly path: string;
  /** Relative to the image root, with forward slashes. */
  readonly file_name: string;
  /** What the annotation file says of it; absent if none names it, or if its labels are not to be used. */
  readonly listed?: ListedImage;
}

export interface Sources {
  /** The folder that holds every folder of images. */
  readonly imageRoot: string;
  /** Of both annotated sets; the positions are class indices. */
  readonly categories: readonly Category[];
  readonly boxes: { readonly labeled: BoxCounts; readonly validation: BoxCounts };
  /** How many images the labeled annotation file has. */
  readonly labeledCount: number;
  readonly candidates: readonly Candidate[];
  /** Labeled images that `take` or `split` left out and that join no set. */
  readonly leftOut: readonly Candidate[];
}

const FILES_AT_ONCE = 16;

/**
 * Changes when a file that the data depends on is added, removed, moved or written.
 * FILE_NOT_FOUND if a folder cannot be read.
 */
export async function fingerprintData(data: DataSources): Promise<{ files: number; sha256: string }> {
  const images = await Promise.all([...new Set(foldersOf(data))].map(findImages));
  const { annotations, split = annotations } = data.labeled;
  const paths = [...new Set([annotations, split, data.validation.annotations, ...images.flat()])].sort();
  const files = await mapConcurrently(paths, FILES_AT_ONCE, async (path) => {
    const { size, mtimeMs } = await stat(path).catch(() => ({ size: -1, mtimeMs: -1 }));
    return [path, size, mtimeMs];
  });
  return { files: files.length, sha256: sha256(canonicalJson(files)) };
}

/**
 * Reads the annotation files, searches the folders and draws the labeled set.
 * CONFIG_INVALID if fewer images are labeled than are to be taken; otherwise as `readCoco`, `findImages`, `readSplit`,
 * `takeSplit` and `withCategories`.
 */
export async function readSources(data: DataSources, seed: number): Promise<Sources> {
  const imageRoot = commonFolder(foldersOf(data));
  const labeled = await readCoco(data.labeled.annotations, data.bad_boxes);
  const validation = await readCoco(data.validation.annotations, data.bad_boxes);
  const split = data.labeled.split === undefined ? undefined : await readSplit(data.labeled.split);
  const validationImages = onlyClasses(
    withCategories(validation.images, validation.categories, labeled.categories),
    labeled.categories,
    split?.classes,
  );
  const folders = await Promise.all(data.unlabeled.images.map(findImages));
  const { taken, rest } = split ? takeSplit(labeled, split, data.labeled) : draw(labeled.images, data.labeled, seed);

  const candidate = (split: Candidate["split"], path: string): Candidate => {
    return { split, path, file_name: relative(imageRoot, path).split(sep).join("/") };
  };
  const annotated = (split: "labeled" | "validation", folder: string, images: readonly ListedImage[]): Candidate[] =>
    images.map((listed) => ({ ...candidate(split, join(folder, listed.file_name)), listed }));
  const unlabeledRest = data.unlabeled.rest_of_labeled
    ? rest.map(({ file_name }) => join(data.labeled.images, file_name))
    : [];
  const unlabeled = new Set([...unlabeledRest, ...folders.flat()]);
  return {
    imageRoot,
    categories: labeled.categories,
    boxes: { labeled: labeled.boxes, validation: validation.boxes },
    labeledCount: labeled.images.length,
    candidates: [
      ...annotated("labeled", data.labeled.images, taken),
      ...annotated("validation", data.validation.images, validationImages),
      ...[...unlabeled].map((path) => candidate("unlabeled", path)),
    ],
    leftOut: data.unlabeled.rest_of_labeled ? [] : annotated("labeled", data.labeled.images, rest),
  };
}

/** The deepest folder that holds all of the folders, or is one of them. */
export function commonFolder(folders: readonly string[]): string {
  const holds = (folder: string, other: string): boolean =>
    `${other}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
  let common = folders[0] as string;
  while (!folders.every((folder) => holds(common, folder))) common = dirname(common);
  return common;
}

/** The same seed draws the same images whatever their order in the file, and fewer of them are a subset of more. */
function draw(
  images: readonly ListedImage[],
  { take = images.length, annotations }: DataSources["labeled"],
  seed: number,
) {
  if (take > images.length) {
    throw new CasslError(
      "CONFIG_INVALID",
      `\`data.labeled.take\` is ${take}, but ${annotations} has ${images.length} images.`,
      "Take fewer, or leave `take` out to use all of them.",
    );
  }
  const taken = new Set(shuffled(images, seededRandom(seed)).slice(0, take));
  return { taken: images.filter((image) => taken.has(image)), rest: images.filter((image) => !taken.has(image)) };
}

function foldersOf({ labeled, unlabeled, validation }: DataSources): string[] {
  return [labeled.images, validation.images, ...unlabeled.images];
}
