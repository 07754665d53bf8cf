import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { toStorageError } from "../controller/storage.js";
import type { BadBoxes } from "../data/box-policy.js";
import { type Converted, convert } from "../data/convert/convert.js";
import { IMAGE_FILES, type ImageFiles } from "../data/convert/place-images.js";
import { WRITTEN_FORMATS, type WrittenFormat } from "../data/formats/source-set.js";
import { interruptSignal } from "./interrupt.js";
import { jsonOption, parseNames, type SourceOptions, sourceOf, sourceOptions } from "./options.js";

interface ConvertOptions extends SourceOptions {
  readonly to: WrittenFormat;
  readonly classes?: readonly string[];
  readonly map: ReadonlyMap<string, string>;
  readonly badBoxes: BadBoxes;
  readonly imageFiles: ImageFiles;
  readonly json?: true;
}

export function addConvert(program: Command): void {
  const command = program
    .command("convert")
    .description("Convert annotations from one format to another, with their images. Writes a whole folder or nothing.")
    .argument("<in>", "annotations: a file or folder")
    .argument("<out>", "folder to write, which is not there yet or is empty")
    .addOption(new Option("--to <format>", "format to write").choices(WRITTEN_FORMATS).makeOptionMandatory());
  for (const option of sourceOptions()) command.addOption(option);
  command
    .addOption(new Option("--classes <names>", "classes to keep, such as cat,dog (default: all)").argParser(parseNames))
    .addOption(
      new Option("--map <old=new>", "rename a class, before --classes; those of one name become one; repeatable")
        .default(new Map(), "none")
        .argParser(collectName),
    )
    .addOption(
      new Option("--bad-boxes <policy>", "what to do with a box that leaves its image or has no area")
        .choices(["error", "clip", "drop"])
        .default("error"),
    )
    .addOption(
      new Option("--image-files <how>", "put the images into the folder as hard links, as copies, or not")
        .choices(IMAGE_FILES)
        .default("link"),
    )
    .addOption(jsonOption())
    .action(run);
}

async function run(annotations: string, out: string, options: ConvertOptions): Promise<void> {
  const { to, classes, map, badBoxes, imageFiles, json } = options;
  const folder = resolve(out);
  const converted = await convert({
    source: sourceOf(annotations, options),
    out: folder,
    to,
    classes: { names: map, keep: classes },
    badBoxes,
    imageFiles,
    signal: interruptSignal(),
  }).catch((error: unknown) => {
    throw toStorageError(error, `${folder} cannot be written`);
  });
  if (json) return console.log(JSON.stringify({ out: folder, to, ...converted }));
  for (const warning of converted.warnings) console.error(`warning: ${warning}`);
  console.log(summary(folder, to, converted));
}

function summary(
  out: string,
  to: WrittenFormat,
  { from, images, objects, classes, boxes, has_images }: Converted,
): string {
  const changed = Object.entries(boxes).filter(([, count]) => count > 0);
  const boxLine =
    changed.length === 0 ? "" : `\nBoxes ${changed.map(([what, count]) => `${what}: ${count}`).join(", ")}.`;
  const files = has_images ? "" : ", without image files";
  return `Wrote ${out} from ${from} to ${to}: ${images} images, ${objects} objects, ${classes} classes${files}.${boxLine}`;
}

function collectName(text: string, previous: ReadonlyMap<string, string>): Map<string, string> {
  const [, old, name] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (old === undefined || name === undefined) throw new InvalidArgumentError("It must be old=new.");
  return new Map([...previous, [old, name]]);
}
