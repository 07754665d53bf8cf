/** Reads Pascal VOC data sets. */
import { basename, join } from "node:path";
import { FILES_AT_ONCE, mapConcurrently } from "../../../core/concurrency.js";
import type { Category } from "../../../core/dataset.js";
import { createFaultList, type FaultList } from "../fault-list.js";
import { relativeName, withoutExtension } from "../folders.js";
import { type ImageFolder, leadsOut } from "../image-folder.js";
import { inNameOrder } from "../name-order.js";
import { toObjectTable } from "../object-table.js";
import { cut } from "../show.js";
import { readSize, type SizedImage } from "../sized-images.js";
import type { AnnotationSource, SourceSet } from "../source-set.js";
import { readTextFile, textLines } from "../text-file.js";
import { parseVocAnnotation, type VocAnnotation, type VocObject } from "./voc-annotation.js";
import { findVocFiles, type VocLayout } from "./voc-layout.js";

interface ReadFile {
  readonly file: string;
  readonly size: SizedImage;
  readonly objects: readonly VocObject[];
}

/**
 * Categories are those of the label map, or the names of the objects in alphabetical order, with ids from 1.
 * Images are numbered from 1 in the order of their names.
 */
export async function readVoc(source: AnnotationSource): Promise<SourceSet> {
  const layout = await findVocFiles(source);
  const faults = createFaultList();
  const all = await mapConcurrently(layout.files, FILES_AT_ONCE, (file) => readFile(file, layout, faults));
  const read = inOrder(all.flat(), faults);
  const categories = await categoriesOf(layout, read);
  const classIndices = new Map(categories.map(({ name }, index) => [name, index]));
  const rows = read.map(({ size, objects }) =>
    (size.width_px === 0 ? [] : objects).map(({ name, box, iscrowd, position }) => {
      return { classIndex: classIndices.get(name) as number, box, iscrowd, sourceId: position };
    }),
  );
  return {
    format: "voc",
    name: source.annotations,
    imageFolder: layout.images.path,
    categories,
    images: read.map(({ size }, index) => ({ id: index + 1, ...size })),
    objects: toObjectTable(rows, false),
    maskCount: read.reduce((count, { objects }) => count + objects.filter(({ hasMask }) => hasMask).length, 0),
    faults,
    objectName: (image, position) => `${(read[image] as ReadFile).file} object ${position}`,
  };
}

/** Every file that `readVoc` reads, besides images. */
export async function vocFiles(source: AnnotationSource): Promise<string[]> {
  const { files, labelMap } = await findVocFiles(source);
  return [...files, labelMap ?? []].flat();
}

/** Nothing if the file cannot be read, or names no image that may be read. */
async function readFile(file: string, { annotationFolder, images }: VocLayout, faults: FaultList): Promise<ReadFile[]> {
  const annotation = await parseFile(file, faults);
  if (annotation === undefined) return [];
  for (const fault of annotation.faults) faults.add("invalid_record", `${file}: ${fault}`);
  const stem = withoutExtension(relativeName(annotationFolder, file));
  const fileName = imageNameOf(annotation, stem, images);
  if (leadsOut(fileName)) {
    faults.add("invalid_record", `${file} names the image ${cut(fileName)}, which leads out of its folder`);
    return [];
  }
  return [{ file, size: await sizeOf(annotation, fileName, images, faults), objects: annotation.objects }];
}

async function parseFile(file: string, faults: FaultList): Promise<VocAnnotation | undefined> {
  try {
    return parseVocAnnotation(await readTextFile(file));
  } catch (error) {
    const { message } = error as Error;
    faults.add("invalid_record", message.includes(file) ? message : `${file}: ${message}`);
    return undefined;
  }
}

/**
 * Tools disagree on whether `filename` has a folder or an extension, and some leave the name that a renamed image had:
 * of all that it may mean, what is there.
 */
function imageNameOf({ filename }: VocAnnotation, stem: string, folder: ImageFolder): string {
  const within = stem.slice(0, stem.length - basename(stem).length);
  const named = filename === undefined ? [] : [`${within}${filename}`, filename];
  return folder.find(...named, ...named.map(withoutExtension), stem) ?? named[0] ?? `${stem}.jpg`;
}

/** As it is annotated, else as the image has it. */
async function sizeOf(
  { size }: VocAnnotation,
  fileName: string,
  folder: ImageFolder,
  faults: FaultList,
): Promise<SizedImage> {
  if (size !== undefined) return { file_name: fileName, ...size };
  return readSize(join(folder.path ?? "", fileName), fileName, faults);
}

function inOrder(read: readonly ReadFile[], faults: FaultList): ReadFile[] {
  const nameOf = ({ size }: ReadFile): string => size.file_name;
  return inNameOrder(read, nameOf, (one, first) => {
    faults.add("duplicate_file_name", `${one.file} is about the image ${nameOf(one)}, as ${first.file} is`);
  });
}

/** Names that the label map lacks come after its own. */
async function categoriesOf({ labelMap }: VocLayout, read: readonly ReadFile[]): Promise<Category[]> {
  const listed = labelMap === undefined ? [] : labelMapNames(await readTextFile(labelMap));
  const used = new Set(read.flatMap(({ objects }) => objects.map(({ name }) => name)));
  const names = new Set([...listed.filter((name) => name !== "background" || used.has(name)), ...[...used].sort()]);
  return [...names].map((name, index) => ({ id: index + 1, name }));
}

/** Lines of the form `name:color:parts:actions`. */
function labelMapNames(text: string): string[] {
  return textLines(text)
    .filter(({ line }) => !line.startsWith("#"))
    .map(({ line }) => line.replace(/(?::[^:]*){3}$/, ""));
}
