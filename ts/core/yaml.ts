import { parse } from "yaml";
import { CasslError } from "./errors.js";

/** CONFIG_INVALID says where the text is not YAML. @param file whose text it is. */
export function readYaml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const message = `${file} is not YAML: ${(error as Error).message}`;
    throw new CasslError("CONFIG_INVALID", message, "Correct the line.", { cause: error });
  }
}
