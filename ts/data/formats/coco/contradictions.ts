/** Where the records of a COCO file contradict each other. Most files do not, which is found out cheaply first. */
import type { FaultList } from "../fault-list.js";
import type { SourceImage } from "../source-set.js";
import { ROW, rowValues } from "./annotation-rows.js";
import type { CocoRecords } from "./coco-file.js";

/** Sorts records by id. Of those with one id, the first stays; the others are listed. */
export function uniqueById<T extends { readonly id: number }>(
  records: readonly T[],
  faults: FaultList,
  describe: (first: T, other: T) => string,
): T[] {
  const isAscending = records.every(({ id }, index) => index === 0 || id > (records[index - 1] as T).id);
  if (isAscending) return [...records];
  const unique: T[] = [];
  for (const record of [...records].sort((a, b) => a.id - b.id)) {
    const last = unique.at(-1);
    if (last?.id === record.id) faults.add("duplicate_id", describe(last, record));
    else unique.push(record);
  }
  return unique;
}

export function listRepeatedNames(images: readonly SourceImage[], faults: FaultList): void {
  if (new Set(images.map(({ file_name }) => file_name)).size === images.length) return;
  const firsts = new Map<string, SourceImage>();
  for (const image of images) {
    const { id, file_name } = image;
    const first = firsts.get(file_name);
    if (first === undefined) firsts.set(file_name, image);
    else faults.add("duplicate_file_name", `duplicate file_name ${file_name}: images ${first.id} and ${id}`);
  }
}

export function listRepeatedAnnotations({ annotations }: CocoRecords, faults: FaultList): void {
  const ids = rowValues(annotations, ROW.id);
  if (!ids.every((id, row) => row === 0 || id > (ids[row - 1] as number))) ids.sort();
  for (let rank = 1; rank < ids.length; rank++) {
    if (ids[rank] === ids[rank - 1]) faults.add("duplicate_id", `duplicate annotation id ${ids[rank]}`);
  }
}

/** References that lead nowhere. */
export function listUnknown(records: CocoRecords, faults: FaultList): void {
  const { annotations, images, categories, badIds } = records;
  const ids = rowValues(annotations, ROW.id);
  const references = [
    ["image", rowValues(annotations, ROW.image_id), [...images.map(idOf), ...badIds.images]],
    ["category", rowValues(annotations, ROW.category_id), [...categories.map(idOf), ...badIds.categories]],
  ] as const;
  for (const [kind, referred, knownIds] of references) {
    const known = new Set(knownIds);
    for (const [row, id] of referred.entries()) {
      if (known.has(id)) continue;
      faults.add("unknown_reference", `annotation ${ids[row]} has the ${kind}_id ${id}, which no ${kind} has`);
    }
  }
}

function idOf({ id }: { readonly id: number }): number {
  return id;
}
