import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { toStorageError } from "../controller/storage.js";
import { CasslError, type Reason } from "../core/errors.js";
import { configTemplate } from "../pipeline/config-template.js";
import { jsonOption } from "./options.js";

export function addInit(program: Command): void {
  program
    .command("init")
    .description("Write a configuration with every field explained.")
    .argument("[file]", "where to", "cassl.yaml")
    .addOption(jsonOption())
    .action(init);
}

async function init(file: string, { json }: { json?: true }): Promise<void> {
  const path = resolve(file);
  await writeFile(path, configTemplate(), { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    throw refusal(path, error);
  });
  console.log(
    json ? JSON.stringify({ config: path }) : `Wrote ${path}. Fill in its \`data\`, then: cassl check ${file}`,
  );
}

function refusal(path: string, cause: NodeJS.ErrnoException): unknown {
  const refused = (reason: Reason, message: string, remedy: string): CasslError =>
    new CasslError(reason, message, remedy, { cause });
  if (cause.code === "EEXIST") {
    return refused("CONFIG_INVALID", `${path} exists, and is left as it is.`, "Give another name, or remove it.");
  }
  if (cause.code === "ENOENT") return refused("FILE_NOT_FOUND", `There is no folder for ${path}.`, "Correct the path.");
  return toStorageError(cause, `${path} cannot be written`);
}
