/** Where the images of a run come from: annotation files and folders, before anybody has looked into an image. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { withCategories } from "../core/categories.js";
import { FILES_AT_ONCE, mapConcurrently } from "../core/concurrency.js";
import type { Category } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import { seededRandom, shuffled } from "../core/random.js";
import type { RemoteConfig } from "../images/download.js";
import { isLocalFolder, isUri, placeIn } from "../images/places.js";
import type { BadBoxes, BoxCounts } from "./box-policy.js";
import { commonFolder, relativeName } from "./formats/folders.js";
import { readImageList } from "./formats/images/image-list.js";
import { withMasks } from "./formats/object-masks.js";
import { annotationFiles, readAnnotations } from "./formats/read-annotations.js";
import type { AnnotatedSet, AnnotationSource, ListedImage } from "./formats/source-set.js";
import { findImages } from "./images.js";
import { readSplit } from "./splits/split-file.js";
import { onlyClasses, takeSplit } from "./splits/take-split.js";

/** `data` of cassl.yaml, with absolute paths. */
export interface DataSources {
  /** Of `take` and `split_file` at most one is given. */
  readonly labeled: AnnotatedSource & { readonly take?: number | undefined; readonly split_file?: string | undefined };
  readonly unlabeled: { readonly images: readonly string[]; readonly rest_of_labeled: boolean };
  readonly validation: AnnotatedSource;
  /** Whether every object is to have a mask, but for crowds of the labeled set. @default false */
  readonly masks?: boolean;
  readonly bad_images: "error" | "drop";
  readonly bad_boxes: BadBoxes;
  /** Images of more pixels cannot be decoded. */
  readonly max_image_pixels: number;
  readonly remote: RemoteConfig;
  readonly leak_firewall: {
    readonly enabled: boolean;
    readonly max_distance: number;
    readonly labeled: "error" | "drop";
  };
}

interface AnnotatedSource extends AnnotationSource {
  readonly images: string;
}

/** An image that may join a set. */
export interface Candidate {
  readonly split: "labeled" | "unlabeled" | "validation";
  /** Or the URI of an image that is elsewhere. */
  readonly path: string;
  /** Relative to the image root, with forward slashes; or the URI. */
  readonly file_name: string;
  /** What the annotation file says of it; absent if none names it, or if its labels are not to be used. */
  readonly listed?: ListedImage;
}

export interface Sources {
  /** The folder that holds every folder of images on this machine. */
  readonly imageRoot: string;
  /** Of both annotated sets; the positions are class indices. */
  readonly categories: readonly Category[];
  readonly boxes: { readonly labeled: BoxCounts; readonly validation: BoxCounts };
  /** How many images the labeled annotation file has. */
  readonly labeledCount: number;
  readonly candidates: readonly Candidate[];
  /** Labeled images that `take` or `split_file` left out and that join no set. */
  readonly leftOut: readonly Candidate[];
}

/**
 * Changes when a file that the data depends on is added, removed, moved or written.
 * FILE_NOT_FOUND if a folder cannot be read.
 */
export async function fingerprintData(data: DataSources): Promise<{ files: number; sha256: string }> {
  const { labeled, unlabeled, validation } = data;
  const folders = await Promise.all(
    [...new Set([labeled.images, validation.images])].filter(isLocalFolder).map(findImages),
  );
  const lists = await Promise.all(unlabeled.images.map(readImageList));
  const annotations = await Promise.all([labeled, validation].map(annotationFiles));
  const splits = labeled.split_file === undefined ? [] : [labeled.split_file];
  const listed = [...annotations, ...folders, ...lists.map((list) => list.paths)].flat();
  const paths = [...new Set([...splits, ...listed])].sort();
  const files = await mapConcurrently(paths, FILES_AT_ONCE, async (path) => {
    const { size, mtimeMs } = await stat(path).catch(() => ({ size: -1, mtimeMs: -1 }));
    return [path, size, mtimeMs];
  });
  return { files: files.length, sha256: sha256(canonicalJson(files)) };
}

/**
 * Reads the annotation files, searches the folders and draws the labeled set.
 * CONFIG_INVALID if fewer images are labeled than are to be taken; otherwise as `readAnnotations`, `readImageList`,
 * `readSplit`, `takeSplit`, `withCategories` and `withMasks`.
 */
export async function readSources(data: DataSources, seed: number): Promise<Sources> {
  const lists = await Promise.all(data.unlabeled.images.map(readImageList));
  const folders = [data.labeled.images, data.validation.images, ...lists.map(({ folder }) => folder)];
  const local = folders.filter(isLocalFolder);
  const imageRoot = local.length === 0 ? dirname(data.labeled.annotations) : commonFolder(local);
  const masks = data.masks ?? false;
  const labeled = await readAnnotations(data.labeled, data.bad_boxes, { masks });
  const validation = await readAnnotations(data.validation, data.bad_boxes, { masks });
  const split = data.labeled.split_file === undefined ? undefined : await readSplit(data.labeled.split_file);
  const known = withCategories(
    validation.images,
    idsAsIn(labeled, validation),
    labeled.categories,
    "The validation set",
  );
  const validationImages = onlyClasses(known, labeled.categories, split?.classes);
  const { taken, rest } = split ? takeSplit(labeled, split, data.labeled) : draw(labeled.images, data.labeled, seed);
  const withTheirMasks = (name: "labeled" | "validation", images: readonly ListedImage[]): readonly ListedImage[] =>
    masks ? withMasks(images, name, ({ iscrowd }) => name === "validation" || !iscrowd) : images;

  const candidate = (split: Candidate["split"], path: string): Candidate => {
    return { split, path, file_name: isUri(path) ? path : relativeName(imageRoot, path) };
  };
  const annotated = (split: "labeled" | "validation", folder: string, images: readonly ListedImage[]): Candidate[] =>
    images.map((listed) => ({ ...candidate(split, placeIn(folder, listed.file_name)), listed }));
  const unlabeledRest = data.unlabeled.rest_of_labeled
    ? rest.map(({ file_name }) => placeIn(data.labeled.images, file_name))
    : [];
  const unlabeled = new Set([...unlabeledRest, ...lists.flatMap(({ paths }) => paths)]);
  return {
    imageRoot,
    categories: labeled.categories,
    boxes: { labeled: labeled.boxes, validation: validation.boxes },
    labeledCount: labeled.images.length,
    candidates: [
      ...annotated("labeled", data.labeled.images, withTheirMasks("labeled", taken)),
      ...annotated("validation", data.validation.images, withTheirMasks("validation", validationImages)),
      ...[...unlabeled].map((path) => candidate("unlabeled", path)),
    ],
    leftOut: data.unlabeled.rest_of_labeled ? [] : annotated("labeled", data.labeled.images, rest),
  };
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

/** Only COCO files give their classes ids of their own. Elsewhere a class is its name, and gets the id that it has in the other set. */
function idsAsIn(labeled: AnnotatedSet, { format, categories }: AnnotatedSet): readonly Category[] {
  if (format === "coco" && labeled.format === "coco") return categories;
  const ids = new Map(labeled.categories.map(({ id, name }) => [name, id]));
  return categories.map(({ id, name }) => ({ id: ids.get(name) ?? id, name }));
}
