/** Split files: small JSON files that name the labeled images of an annotation file, for `data.labeled.split_file`. */
import { CasslError } from "../../core/errors.js";
import { canonicalJson, sha256 } from "../../core/hash.js";
import { readText } from "../../core/text-file.js";

/** What a split says; the file has the hash of it as well. */
export interface Split {
  readonly name: string;
  /** How it was drawn. */
  readonly percent: number;
  readonly fold: number;
  readonly seed: number;
  /** Names of the only classes that are labeled. Absent: all. */
  readonly classes?: readonly string[];
  /** Of the annotation file, ascending. */
  readonly image_ids: readonly number[];
}

interface SplitFile extends Split {
  readonly cassl: "split";
  readonly version: 1;
  /** Of the canonical JSON of the split. */
  readonly sha256: string;
}

/** The text of a split file: equal splits give equal text. */
export function encodeSplit(split: Split): string {
  const file: SplitFile = { cassl: "split", version: 1, ...split, sha256: sha256(canonicalJson(split)) };
  const members = Object.entries(file).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{\n${members.join(",\n")}\n}\n`;
}

/** FILE_NOT_FOUND if the file cannot be read; CONFIG_INVALID if it is not a split file, or was changed by hand. */
export async function readSplit(path: string): Promise<Split> {
  const remedy = "Correct `data.labeled.split_file`, or write one with `cassl split`.";
  const text = await readText(path, `The split file ${path}`, remedy);
  return decodeSplit(text, path);
}

function decodeSplit(text: string, path: string): Split {
  const { cassl, version, sha256: hash, ...split } = parse(text, path);
  if (cassl !== "split" || version !== 1) throw invalid(path, "is not a split file of version 1");
  if (hash !== sha256(canonicalJson(split))) throw invalid(path, "does not have the content that its hash is of");
  return split;
}

function parse(text: string, path: string): Partial<SplitFile> & Split {
  try {
    const parsed = JSON.parse(text) as (Partial<SplitFile> & Split) | null;
    if (parsed !== null && typeof parsed === "object") return parsed;
  } catch (error) {
    throw invalid(path, "is not JSON", { cause: error });
  }
  throw invalid(path, "is not a JSON object");
}

function invalid(path: string, fault: string, options?: ErrorOptions): CasslError {
  return new CasslError("CONFIG_INVALID", `${path} ${fault}.`, "Write it anew with `cassl split`.", options);
}
