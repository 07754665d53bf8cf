/** Which images `cassl split` keeps together. */
import { resolve } from "node:path";
import { z } from "zod";
import { CasslError } from "../core/errors.js";
import { readText } from "../core/text-file.js";
import type { AnnotatedSet } from "../data/formats/source-set.js";
import { findImageSeries } from "../data/splits/image-series.js";
import type { AnnotatedImage } from "../data/splits/make-splits.js";
import { interruptSignal } from "./interrupt.js";

export interface GroupOptions {
  readonly bySeries?: true;
  readonly groups?: string;
}

export type GroupOf = (image: AnnotatedImage) => string | number;

const groupsSchema = z.record(z.string(), z.union([z.string(), z.number()]));

/** Warnings and what was found go to standard error. */
export async function groupsOf(set: AnnotatedSet, { bySeries, groups }: GroupOptions): Promise<GroupOf> {
  if (groups !== undefined) return groupsInFile(resolve(groups));
  return bySeries ? seriesOf(set) : ({ id }) => id;
}

async function seriesOf({ images, imageFolder }: AnnotatedSet): Promise<GroupOf> {
  if (imageFolder === undefined) {
    throw new CasslError("CONFIG_INVALID", "--by-series looks at the images.", "Say with --images where they are.");
  }
  const names = images.map(({ file_name }) => file_name);
  const { series, faults } = await findImageSeries(names, imageFolder, interruptSignal());
  for (const fault of faults) console.error(`warning: ${fault}`);
  console.error(`${names.length} images in ${new Set(series.values()).size} series, each of which stays whole.`);
  return ({ file_name }) => series.get(file_name) as number;
}

/** An image that the file does not name stands alone. */
async function groupsInFile(file: string): Promise<GroupOf> {
  const groups = new Map(Object.entries(await readGroups(file)));
  return ({ id, file_name }) => {
    const group = groups.get(file_name);
    return group === undefined ? id : `group ${group}`;
  };
}

async function readGroups(file: string): Promise<Readonly<Record<string, string | number>>> {
  const text = await readText(file, file, "Correct --groups.");
  try {
    return groupsSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = `${file} is not a JSON object of file names and their groups.`;
    throw new CasslError("CONFIG_INVALID", message, 'Write it as { "a.jpg": "video 1", ... }.', { cause: error });
  }
}
