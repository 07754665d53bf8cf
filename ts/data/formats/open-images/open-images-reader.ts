/** Reads boxes of Open Images: a CSV with a row for each box, and sides as shares of the image. */
import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import { FILES_AT_ONCE, mapConcurrently } from "../../../core/concurrency.js";
import type { Category } from "../../../core/dataset.js";
import { CasslError } from "../../../core/errors.js";
import { createFaultList, type FaultList } from "../fault-list.js";
import { namesIn } from "../folders.js";
import { type ImageFolder, openImageFolder } from "../image-folder.js";
import { snapPx } from "../numbers.js";
import { type ObjectRow, toObjectTable } from "../object-table.js";
import { readSize, type SizedImage } from "../sized-images.js";
import type { AnnotationSource, SourceSet } from "../source-set.js";
import { readCsv } from "./csv.js";
import { createRowParser, type OpenImagesBox } from "./open-images-row.js";

/**
 * Images are those that have a row, numbered from 1 in the order of their names: others of the folder were not annotated.
 * Categories are the classes that have a row, in alphabetical order, with ids from 1; their names are those of a
 * class-descriptions CSV beside the file, if there is one.
 */
export async function readOpenImages({ annotations, images }: AnnotationSource): Promise<SourceSet> {
  const faults = createFaultList();
  const folder = await openImageFolder(images, [join(dirname(annotations), "images"), dirname(annotations)]);
  const boxes = await readBoxes(annotations, folder, faults);
  const descriptions = await readDescriptions(annotations);
  const nameOf = ({ label }: OpenImagesBox): string => descriptions.get(label) ?? label;
  const names = [...new Set([...boxes.values()].flatMap((all) => all.map(nameOf)))].sort();
  const classIndices = new Map(names.map((name, index) => [name, index]));
  const sorted = [...boxes].sort(([a], [b]) => (a < b ? -1 : 1));
  const sizes = await mapConcurrently(sorted, FILES_AT_ONCE, ([name]) =>
    readSize(join(folder.path ?? "", name), name, faults),
  );
  const rows = sorted.map(([, all], index) => {
    const size = sizes[index] as SizedImage;
    return size.width_px === 0 ? [] : all.map((box) => toRow(box, size, classIndices.get(nameOf(box)) as number));
  });
  return {
    format: "openimages",
    name: annotations,
    imageFolder: folder.path,
    categories: names.map((name, index): Category => ({ id: index + 1, name })),
    images: sizes.map((size, index) => ({ id: index + 1, ...size })),
    objects: toObjectTable(rows, false),
    maskCount: 0,
    faults,
    objectName: (_, line) => `line ${line}`,
  };
}

/** Boxes by the file name of their image. */
async function readBoxes(file: string, folder: ImageFolder, faults: FaultList): Promise<Map<string, OpenImagesBox[]>> {
  const boxes = new Map<string, OpenImagesBox[]>();
  const rows = csvRows(file);
  const head = await rows.next();
  const parse = createRowParser(file, head.done === true ? [] : head.value.fields);
  for await (const row of rows) {
    const box = parse(row);
    if (typeof box === "string") {
      faults.add("invalid_record", box);
      continue;
    }
    const name = folder.find(box.imageId) ?? box.imageId;
    const known = boxes.get(name);
    if (known === undefined) boxes.set(name, [box]);
    else known.push(box);
  }
  return boxes;
}

/** FILE_NOT_FOUND if the file cannot be read; ANNOTATIONS_INVALID if it is no UTF-8 text or no CSV. */
async function* csvRows(file: string): ReturnType<typeof readCsv> {
  try {
    yield* readCsv(decoded(createReadStream(file)));
  } catch (error) {
    if (error instanceof CasslError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined && code !== "ERR_ENCODING_INVALID_ENCODED_DATA") {
      throw new CasslError("FILE_NOT_FOUND", `${file} cannot be read: ${message}.`, "Correct the path.", {
        cause: error,
      });
    }
    const fault = code === undefined ? message : "it is not UTF-8 text";
    throw new CasslError("ANNOTATIONS_INVALID", `${file} is no CSV: ${fault}.`, "Correct the file.", { cause: error });
  }
}

async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Files beside the boxes that name their classes. */
export async function descriptionFiles(file: string): Promise<string[]> {
  const names = await namesIn(dirname(file));
  return names.filter((name) => /class-descriptions.*\.csv$/.test(name)).map((name) => join(dirname(file), name));
}

/** Class names by label, such as `Cat` by `/m/01yrx`. */
async function readDescriptions(file: string): Promise<Map<string, string>> {
  const descriptions = new Map<string, string>();
  for (const descriptionFile of await descriptionFiles(file)) {
    for await (const { fields } of csvRows(descriptionFile)) {
      const [label = "", name = ""] = fields;
      if (name !== "") descriptions.set(label, name);
    }
  }
  return descriptions;
}

function toRow({ left, right, top, bottom, isGroup, line }: OpenImagesBox, size: SizedImage, classIndex: number) {
  const { width_px, height_px } = size;
  const x = snapPx(left * width_px);
  const y = snapPx(top * height_px);
  const box = [x, y, snapPx(right * width_px - x), snapPx(bottom * height_px - y)] as const;
  return { classIndex, box, iscrowd: isGroup, sourceId: line } satisfies ObjectRow;
}
