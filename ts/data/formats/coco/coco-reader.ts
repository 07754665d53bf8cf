/** Reads COCO annotation files, whatever contradicts itself being listed as a fault. */
import { dirname, join, posix } from "node:path";
import type { Category } from "../../../core/dataset.js";
import { createFaultList, type FaultList } from "../fault-list.js";
import { isFile } from "../folders.js";
import type { AnnotationSource, ReadOptions, SourceImage, SourceSet } from "../source-set.js";
import { type AnnotationRows, collectAnnotations, groupRows, idsOf } from "./annotation-rows.js";
import { type CocoRecords, readCocoRecords } from "./coco-file.js";

/**
 * FILE_NOT_FOUND if the file cannot be read; ANNOTATIONS_INVALID if it is not a whole COCO file.
 * @param file that holds the annotations.
 */
export async function readCoco(file: string, source: AnnotationSource, { masks }: ReadOptions): Promise<SourceSet> {
  const faults = createFaultList();
  const annotations = collectAnnotations(masks);
  const records = await readCocoRecords(file, faults, annotations);
  const categories = byId(records.categories);
  const images = byId(records.images);
  listRepeated(records, faults);
  listUnknown(annotations.rows(), records, faults);
  return {
    format: "coco",
    name: file,
    imageFolder: await findImageFolder(file, source.images, images),
    categories,
    images,
    objects: groupRows(annotations.rows(), indicesOf(images), indicesOf(categories)),
    maskCount: records.maskCount,
    faults,
    objectName: (_, id) => `annotation ${id}`,
  };
}

function byId<T extends { readonly id: number }>(records: readonly T[]): T[] {
  const first = new Map([...records].reverse().map((record) => [record.id, record]));
  return [...first.values()].sort((a, b) => a.id - b.id);
}

function indicesOf(records: readonly { readonly id: number }[]): Map<number, number> {
  return new Map(records.map(({ id }, index) => [id, index]));
}

/** The given folder; else the first of the usual ones that has the first image. */
async function findImageFolder(
  file: string,
  given: string | undefined,
  images: readonly SourceImage[],
): Promise<string | undefined> {
  if (given !== undefined) return given;
  const folder = dirname(file);
  for (const usual of [join(folder, "images"), join(dirname(folder), "images"), folder]) {
    if (images[0] !== undefined && (await isFile(join(usual, images[0].file_name)))) return usual;
  }
  return undefined;
}

/** Ids and file names that are taken. */
function listRepeated({ categories, images }: CocoRecords, faults: FaultList): void {
  const told = <T>(records: readonly T[], keyOf: (record: T) => unknown, tell: (record: T, first: T) => void): void => {
    const firsts = new Map<unknown, T>();
    for (const record of records) {
      const first = firsts.get(keyOf(record));
      if (first === undefined) firsts.set(keyOf(record), record);
      else tell(record, first);
    }
  };
  told<Category>(categories, idOf, ({ id, name }, first) =>
    faults.add("duplicate_id", `duplicate category id ${id}: ${first.name} and ${name}`),
  );
  told<SourceImage>(images, idOf, ({ id, file_name }, first) =>
    faults.add("duplicate_id", `duplicate image id ${id}: ${first.file_name} and ${file_name}`),
  );
  told(images, nameOf, ({ id, file_name }, first) =>
    faults.add("duplicate_file_name", `duplicate file_name ${file_name}: images ${first.id} and ${id}`),
  );
}

/** Annotation ids that are taken, and references that lead nowhere. */
function listUnknown(rows: AnnotationRows, records: CocoRecords, faults: FaultList): void {
  const ids = idsOf(rows, "id");
  for (const id of repeated(ids)) faults.add("duplicate_id", `duplicate annotation id ${id}`);
  const references = [
    ["image", idsOf(rows, "image_id"), records.imageIds],
    ["category", idsOf(rows, "category_id"), records.categoryIds],
  ] as const;
  for (const [kind, referred, known] of references) {
    referred.forEach((id, row) => {
      if (known.has(id)) return;
      const fault = `annotation ${ids[row]} has the ${kind}_id ${id}, which no ${kind} has`;
      faults.add("unknown_reference", fault);
    });
  }
}

/** Each number that stands there before. Sorting millions of numbers takes less than a set of them. */
function repeated(numbers: Float64Array): number[] {
  const sorted = numbers.slice().sort();
  return [...sorted.filter((number, index) => index > 0 && number === sorted[index - 1])];
}

function idOf({ id }: { readonly id: number }): number {
  return id;
}

function nameOf({ file_name }: SourceImage): string {
  return posix.normalize(file_name);
}
