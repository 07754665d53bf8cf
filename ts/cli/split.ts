import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { toStorageError } from "../controller/storage.js";
import { CasslError } from "../core/errors.js";
import { readAnnotations } from "../data/formats/read-annotations.js";
import { makeSplits, missingClasses } from "../data/splits/make-splits.js";
import { encodeSplit, type Split } from "../data/splits/split-file.js";
import { countParser, jsonOption, parseNames, type SourceOptions, sourceOf, sourceOptions } from "./options.js";
import { type GroupOptions, groupsOf } from "./split-groups.js";
import { textTable } from "./table.js";

interface SplitOptions extends SourceOptions, GroupOptions {
  readonly percent: readonly number[];
  readonly folds: number;
  readonly seed: number;
  readonly out: string;
  readonly classes?: readonly string[];
  readonly json?: true;
}

/** What is printed of a split. */
interface Written {
  readonly split: string;
  readonly images: number;
  readonly missing_classes: readonly string[];
}

export function addSplit(program: Command): void {
  const command = program
    .command("split")
    .description("Draw which images count as labeled, for data.labeled.split_file: K % of them, several times over.")
    .argument("<annotations>", "annotations: a file or folder")
    .addOption(
      new Option("--percent <list>", "how much of the images")
        .default([1, 2, 5, 10], "1,2,5,10")
        .argParser(parsePercents),
    )
    .addOption(new Option("--folds <count>", "how many splits of each size").default(5).argParser(countParser(4)))
    .addOption(new Option("--seed <number>", "other seeds draw other images").default(0).argParser(parseSeed))
    .requiredOption("--out <dir>", "folder to write the split files to");
  for (const option of sourceOptions()) command.addOption(option);
  command
    .addOption(new Option("--by-series", "keep images together that show almost the same").conflicts("groups"))
    .option("--groups <file>", "JSON of file names and their groups, such as videos, that stay together")
    .addOption(
      new Option("--classes <names>", "the only classes that are labeled (default: all)").argParser(parseNames),
    )
    .addOption(jsonOption("print one JSON object a split"))
    .action(split);
}

async function split(annotations: string, options: SplitOptions): Promise<void> {
  const { percent, folds, seed, classes, out, json } = options;
  const set = await readAnnotations(sourceOf(annotations, options), "drop");
  const splits = makeSplits(set, await groupsOf(set, options), { percents: percent, folds, seed, classes });
  const files = await writeSplits(splits, resolve(out));
  const written = splits.map((drawn, index): Written => {
    return {
      split: files[index] as string,
      images: drawn.image_ids.length,
      missing_classes: missingClasses(set, drawn),
    };
  });
  if (json) for (const line of written) console.log(JSON.stringify(line));
  else console.log(summary(written));
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

function summary(written: readonly Written[]): string {
  return textTable({
    header: ["split", "images", "classes without an image"],
    rows: written.map(({ split: file, images, missing_classes }) => {
      return [file, String(images), missing_classes.length === 0 ? "-" : missing_classes.join(", ")];
    }),
  });
}

function parsePercents(text: string): number[] {
  const percents = text.split(",").map(Number);
  if (!percents.every((percent) => percent > 0 && percent <= 100))
    throw new InvalidArgumentError("It must be numbers above 0 and at most 100, such as 1,2,5,10.");
  return [...new Set(percents)];
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at most nine digits.");
  return Number(text);
}
