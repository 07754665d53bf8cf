/** cassl.yaml as the command line sees it: the file with the `--set` options on top. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseDocument, parse as parseYaml } from "yaml";
import { CasslError } from "../core/errors.js";
import { type Config, parseConfigText } from "../pipeline/config.js";

export interface Override {
  /** Dotted path. */
  readonly key: string;
  /** YAML text. */
  readonly value: string;
}

/** FILE_NOT_FOUND or CONFIG_INVALID say what is wrong with the file or with an override. */
export async function readConfig(file: string, overrides: readonly Override[]): Promise<Config> {
  const path = resolve(file);
  return parseConfigText(withOverrides(await readText(path), overrides), path);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const remedy = "Correct the path; `cassl init` writes a configuration to start from.";
    throw new CasslError("FILE_NOT_FOUND", `The configuration ${path} cannot be read.`, remedy, { cause: error });
  }
}

/** Text that is no YAML is left to `parseConfigText`, which says where. */
export function withOverrides(text: string, overrides: readonly Override[]): string {
  const document = parseDocument(text);
  if (overrides.length === 0 || document.errors.length > 0) return text;
  for (const { key, value } of overrides) {
    try {
      document.setIn(key.split("."), document.createNode(parseYaml(value)));
    } catch (error) {
      const message = `--set ${key}=${value} does not fit the configuration: ${(error as Error).message}`;
      throw new CasslError("CONFIG_INVALID", message, "Give the dotted path of a field and its value as YAML.", {
        cause: error,
      });
    }
  }
  return document.toString();
}
