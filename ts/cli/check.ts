import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Command } from "commander";
import { parseDocument } from "yaml";
import { CasslError } from "../core/errors.js";
import { type ConfigCheckOptions, checkConfig } from "./check-config.js";
import { checkDataSet, type DataCheckOptions } from "./check-data.js";
import { jsonOption, type SourceOptions, setOption, sourceOf, sourceOptions } from "./options.js";

type CheckOptions = SourceOptions & DataCheckOptions & ConfigCheckOptions;

export function addCheck(program: Command): void {
  const command = program
    .command("check")
    .description(
      "Check a configuration and all its data without training: what a run would find wrong, it finds in seconds. " +
        "Or check a data set in any format that can be read. Exits with 2 if something is wrong.",
    )
    .argument("<path>", "configuration, such as cassl.yaml, or annotations: a file or folder")
    .addOption(setOption())
    .addOption(jsonOption());
  for (const option of sourceOptions()) command.addOption(option);
  command
    .option("--html <file>", "write what is found in a data set as a page")
    .option("--strict", "exit with 1 if there are warnings about a data set")
    .action(check);
}

async function check(path: string, options: CheckOptions): Promise<void> {
  if (options.from === "auto" && (await isConfig(path))) return checkConfig(path, options);
  if (options.set !== undefined) {
    const message = `--set overrides a field of a configuration, and ${path} is none.`;
    throw new CasslError("CONFIG_INVALID", message, "Leave it out, or give a configuration.");
  }
  return checkDataSet(sourceOf(path, options), options);
}

/** A YAML file is a configuration, unless it names classes, as data.yaml of a YOLO data set does. */
async function isConfig(path: string): Promise<boolean> {
  if (![".yaml", ".yml"].includes(extname(path)) || (await stat(path).catch(() => undefined))?.isDirectory())
    return false;
  const document = parseDocument(await readFile(path, "utf8").catch(() => ""));
  return !document.has("names");
}
