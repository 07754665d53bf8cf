import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { toStorageError } from "../controller/storage.js";
import { CasslError } from "../core/errors.js";
import { type CocoSet, readCoco } from "../data/coco-reader.js";
import { findImageSeries } from "../data/splits/image-series.js";
import { type AnnotatedImage, makeSplits, missingClasses } from "../data/splits/make-splits.js";
import { encodeSplit, type Split } from "../data/splits/split-file.js";
import { interruptSignal } from "./interrupt.js";
import { jsonOption } from "./options.js";
import { textTable } from "./table.js";

interface SplitCommandOptions {
  readonly percent: readonly number[];
  readonly folds: number;
  readonly seed: number;
  readonly out: string;
  readonly images?: string;
  readonly groups?: string;
  readonly classes?: readonly string[];
  readonly json?: true;
}

const groupsSchema = z.record(z.string(), z.union([z.string(), z.number()]));

type GroupOf = (image: AnnotatedImage) => string | number;

export function addSplit(program: Command): void {
  program
    .command("split")
    .description("Draw which images count as labeled, for data.labeled.split: K % of them, several times over.")
    .argument("<annotations>", "annotation file, COCO JSON")
    .addOption(
      new Option("--percent <list>", "how much of the images, such as 0.5,1,2")
        .default([1, 2, 5, 10], "1,2,5,10")
        .argParser(parsePercents),
    )
    .addOption(new Option("--folds <count>", "how many splits of each size").default(5).argParser(parseFolds))
    .addOption(new Option("--seed <number>", "other seeds draw other images").default(0).argParser(parseSeed))
    .requiredOption("--out <dir>", "folder to write the split files to")
    .addOption(
      new Option("--images <dir>", "folder of the images: series of like pictures stay together").conflicts("groups"),
    )
    .option("--groups <file>", "JSON of file names to groups that stay together, such as videos")
    .addOption(
      new Option("--classes <list>", "names of the only classes that are labeled; the others are unseen").argParser(
        parseNames,
      ),
    )
    .addOption(jsonOption("print one JSON object a split"))
    .action(split);
}

async function split(annotations: string, options: SplitCommandOptions): Promise<void> {
  const { percent, folds, seed, classes, out, json } = options;
  const coco = await readCoco(resolve(annotations), "drop");
  const groupOf = await groupsOf(coco, options);
  const splits = makeSplits(coco, groupOf, { percents: percent, folds, seed, classes });
  const files = await writeSplits(splits, resolve(out));
  const rows = splits.map((drawn, index) => ({
    split: files[index] as string,
    images: drawn.image_ids.length,
    missing_classes: missingClasses(coco, drawn),
  }));
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else console.log(summary(rows));
}

async function groupsOf(coco: CocoSet, { images, groups }: SplitCommandOptions): Promise<GroupOf> {
  if (groups !== undefined) return groupsInFile(resolve(groups));
  if (images === undefined) return ({ id }) => id;
  const names = coco.images.map(({ file_name }) => file_name);
  const { seriesOf, faults } = await findImageSeries(names, resolve(images), interruptSignal(), () => {});
  for (const fault of faults) console.error(`warning: ${fault}`);
  const series = new Set(seriesOf.values()).size;
  console.error(`${names.length} images in ${series} series, of which each stays whole.`);
  return ({ file_name }) => seriesOf.get(file_name) as number;
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
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new CasslError("FILE_NOT_FOUND", `${file} cannot be read: ${error.message}.`, "Correct --groups.");
  });
  try {
    return groupsSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = `${file} is not a JSON object of file names and their groups.`;
    throw new CasslError("CONFIG_INVALID", message, 'Write it as { "a.jpg": "video 1", ... }.', { cause: error });
  }
}

/** A file that is there is left as it is, and refused if it has other content. */
async function writeSplits(splits: readonly Split[], folder: string): Promise<string[]> {
  const files = splits.map((drawn) => ({ path: join(folder, `${drawn.name}.json`), text: encodeSplit(drawn) }));
  try {
    await mkdir(folder, { recursive: true });
    for (const { path, text } of files) {
      const found = await readFile(path, "utf8").catch(() => undefined);
      if (found === undefined) await writeFile(path, text);
      else if (found !== text) throw taken(path);
    }
  } catch (error) {
    throw toStorageError(error, `The splits cannot be written to ${folder}`);
  }
  return files.map(({ path }) => path);
}

function taken(path: string): CasslError {
  return new CasslError("CONFIG_INVALID", `${path} is another split.`, "Give another --out, or remove the file.");
}

function summary(rows: readonly { split: string; images: number; missing_classes: readonly string[] }[]): string {
  return textTable({
    header: ["split", "images", "classes without an image"],
    rows: rows.map(({ split: file, images, missing_classes }) => [
      file,
      String(images),
      missing_classes.length === 0 ? "-" : missing_classes.join(", "),
    ]),
  });
}

function parsePercents(text: string): number[] {
  const percents = text.split(",").map(Number);
  if (!percents.every((percent) => percent > 0 && percent <= 100))
    throw new InvalidArgumentError("It must be numbers above 0 and at most 100, such as 1,2,5,10.");
  return [...new Set(percents)];
}

function parseFolds(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return Number(text);
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at most nine digits.");
  return Number(text);
}

function parseNames(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}
