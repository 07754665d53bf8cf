/** Weights that a run is given to start from. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile } from "node:fs/promises";
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import type { TrainTask } from "../gen/cassl/v1/task.js";
import { CARRIED_PARTS, type Config } from "./config.js";

/** What trainings start from that go on from no other; undefined: the detector's own starting weights. */
export type Start = TrainTask["init_from"];

/**
 * `pretrained` of the configuration as an artifact; a file that the store has already is read, but not copied.
 * FILE_NOT_FOUND if it cannot be read.
 */
export async function storePretrained(
  { pretrained }: Config,
  { artifacts }: { readonly artifacts: ArtifactStore },
): Promise<Start> {
  if (pretrained === undefined) return undefined;
  const known = await artifacts.stat(await hashOfFile(pretrained));
  const { sha256 } = known ?? (await artifacts.putFile((path) => copyFile(pretrained, path)));
  return { weights: sha256, carry: [...CARRIED_PARTS], class_predictor: "reinitialize" };
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw new CasslError("FILE_NOT_FOUND", `\`pretrained\`, ${path}, cannot be read.`, "Correct the path.", { cause });
  }
  return hash.digest("hex");
}
