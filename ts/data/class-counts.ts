/** How many objects of each class a dataset has, line by line: manifests of millions of objects are not held in memory. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type Category, type DatasetImage, objectsOf } from "../core/dataset.js";

export interface ClassCounts {
  readonly images: number;
  /** Images without an object. */
  readonly emptyImages: number;
  readonly objects: number;
  /** Of each category of the dataset, in their order. */
  readonly classes: readonly ClassCount[];
}

export interface ClassCount {
  readonly name: string;
  readonly objects: number;
  /** Images with such an object. */
  readonly images: number;
}

/** Crowds are no objects. @param file a dataset manifest, which is whole. */
export async function countClasses(file: string): Promise<ClassCounts> {
  let [images, emptyImages] = [0, 0];
  let counts: { name: string; objects: number; images: number }[] | undefined;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === "") continue;
    const record = JSON.parse(line) as unknown;
    if (counts === undefined) {
      counts = (record as { categories: Category[] }).categories.map(({ name }) => ({ name, objects: 0, images: 0 }));
      continue;
    }
    const classes = objectsOf(record as DatasetImage).map(({ class_index }) => class_index);
    images++;
    if (classes.length === 0) emptyImages++;
    for (const index of classes) (counts[index] as { objects: number }).objects++;
    for (const index of new Set(classes)) (counts[index] as { images: number }).images++;
  }
  const classes = counts ?? [];
  return { images, emptyImages, objects: classes.reduce((sum, { objects }) => sum + objects, 0), classes };
}
