/** Where a Pascal VOC data set has its files. */
import { basename, dirname, extname, join } from "node:path";
import { CasslError } from "../../../core/errors.js";
import { filesUnder, firstOf, isFile, isFolder, namesIn } from "../folders.js";
import { type ImageFolder, openImageFolder } from "../image-folder.js";
import type { AnnotationSource } from "../source-set.js";
import { readTextFile, textLines } from "../text-file.js";

export const ANNOTATION_FOLDER = "Annotations";
export const IMAGE_FOLDER = "JPEGImages";
export const IMAGE_SET_FOLDER = join("ImageSets", "Main");
export const LABEL_MAP = "labelmap.txt";

export interface VocLayout {
  readonly annotationFolder: string;
  readonly images: ImageFolder;
  /** The annotation file of each image. */
  readonly files: readonly string[];
  /** Names of classes in their order, if a file gives them. */
  readonly labelMap: string | undefined;
}

/** Whether a file or folder is Pascal VOC. */
export async function isVoc(path: string): Promise<boolean> {
  if (!(await isFolder(path))) return extname(path).toLowerCase() === ".xml" || isImageSet(path);
  if (await isFolder(join(path, ANNOTATION_FOLDER))) return true;
  return (await namesIn(path)).some((name) => extname(name).toLowerCase() === ".xml");
}

/**
 * @param annotations the root, the folder of the XML files, one of these files, or an image set.
 * FILE_NOT_FOUND if there is no such file or folder; ANNOTATIONS_INVALID if an image set names a file that is not there.
 */
export async function findVocFiles({ annotations, images, split }: AnnotationSource): Promise<VocLayout> {
  const root = await rootOf(annotations);
  const inRoot = join(root, ANNOTATION_FOLDER);
  const annotationFolder = (await isFolder(inRoot)) ? inRoot : root;
  const usual = [join(root, IMAGE_FOLDER), join(root, "images"), annotationFolder];
  return {
    annotationFolder,
    images: await openImageFolder(images, usual),
    files: await filesOf(annotations, root, annotationFolder, split),
    labelMap: await firstOf([join(root, LABEL_MAP)], isFile),
  };
}

async function rootOf(annotations: string): Promise<string> {
  if (isImageSet(annotations)) return dirname(dirname(dirname(annotations)));
  const folder = (await isFolder(annotations)) ? annotations : dirname(annotations);
  return basename(folder) === ANNOTATION_FOLDER ? dirname(folder) : folder;
}

async function filesOf(
  annotations: string,
  root: string,
  annotationFolder: string,
  split: string | undefined,
): Promise<string[]> {
  if (isImageSet(annotations)) return filesOfSet(annotations, annotationFolder);
  if (extname(annotations).toLowerCase() === ".xml") return [annotations];
  if (split === undefined) return filesUnder(annotationFolder, ".xml");
  return filesOfSet(join(root, IMAGE_SET_FOLDER, `${split}.txt`), annotationFolder);
}

/** An image set names the annotation files by their path without extension, one a line. */
async function filesOfSet(imageSet: string, annotationFolder: string): Promise<string[]> {
  const names = textLines(await readTextFile(imageSet)).map(({ line }) => `${line}.xml`);
  const there = new Set(await filesUnder(annotationFolder, ".xml"));
  const files = [...new Set(names)].map((name) => join(annotationFolder, name));
  const missing = files.find((file) => !there.has(file));
  if (missing === undefined) return files.sort();
  const message = `${imageSet} names ${missing}, which is not there.`;
  throw new CasslError("ANNOTATIONS_INVALID", message, "Correct the image set, or add the annotation file.");
}

function isImageSet(path: string): boolean {
  return extname(path) === ".txt" && basename(dirname(dirname(path))) === "ImageSets";
}
