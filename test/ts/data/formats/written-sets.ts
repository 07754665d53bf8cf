/** Data sets on disk for the tests of formats, and what was read of them in a form to compare. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { BoxXywh } from "../../../../ts/core/boxes.js";
import { FAULT_KINDS, type FaultKind } from "../../../../ts/data/formats/fault-list.js";
import { readSource } from "../../../../ts/data/formats/read-annotations.js";
import type { AnnotatedSet, AnnotationSource, SourceSet } from "../../../../ts/data/formats/source-set.js";

export async function writeText(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

export interface FlatObject {
  readonly image: string;
  readonly name: string;
  readonly box: BoxXywh;
  readonly area: number;
  readonly iscrowd: boolean;
}

/** All objects in an order that depends on no format: of their image, their class and their left side. */
export function flatObjects({ images, categories }: AnnotatedSet): FlatObject[] {
  const objects = images.flatMap(({ file_name, annotations }) =>
    annotations.map(({ box_xywh, class_index, area, iscrowd }): FlatObject => {
      return { image: file_name, name: categories[class_index]?.name ?? "", box: box_xywh, area, iscrowd };
    }),
  );
  const key = ({ image, name, box }: FlatObject): string =>
    [image, name, ...box.map((side) => side.toFixed(2).padStart(9))].join("\n");
  return objects.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** What is wrong with a source, by kind. */
export async function faultsOf(source: AnnotationSource): Promise<Partial<Record<FaultKind, readonly string[]>>> {
  return faultsIn(await readSource(source, { masks: false }));
}

export function faultsIn({ faults }: SourceSet): Partial<Record<FaultKind, readonly string[]>> {
  const found = FAULT_KINDS.map((kind) => [kind, faults.of(kind).examples] as const);
  return Object.fromEntries(found.filter(([, examples]) => examples.length > 0));
}
