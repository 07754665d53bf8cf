/** The options that several commands have. */
import { dirname, join, resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { type AnnotationSource, FORMATS } from "../data/formats/source-set.js";
import { GATE_NAMES, type GateName } from "../pipeline/config.js";
import type { Override } from "./config-file.js";

export const DEFAULT_ADDRESS = "127.0.0.1:7070";

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return Number(text);
}

export function jsonOption(description = "print JSON, one object a line"): Option {
  return new Option("--json", description);
}

export function workspaceOption(place: string): Option {
  return new Option("--workspace <dir>", `folder for state, artifacts and results (default: .cassl ${place})`);
}

export function pythonOption(): Option {
  return new Option(
    "--python <path>",
    "Python to run workers with (default: $CASSL_PYTHON, else .venv of the set-up, else python3)",
  );
}

export function rayOption(): Option {
  return new Option("--ray <file>", "the Ray cluster of the executor `ray`; see docs/ray.md");
}

export function runIdOption(): Option {
  return new Option("--run-id <id>", "id of the run (default: its name and the time)");
}

/** Of commands that run a configuration on this machine, with a controller of their own. */
export interface LocalOptions {
  readonly workspace?: string;
  readonly python?: string;
  readonly ray?: string;
  readonly set?: readonly Override[];
  /** Whether to show what workers write. */
  readonly debug?: true;
}

export function localOptions(): Option[] {
  return [workspaceOption("beside the configuration"), pythonOption(), rayOption(), setOption()];
}

/** Of commands that read annotations. */
export interface SourceOptions {
  readonly from: NonNullable<AnnotationSource["format"]>;
  readonly images?: string;
  readonly split?: string;
}

export function sourceOptions(): Option[] {
  return [
    new Option("--from <format>", "format of the annotations; auto: what they look like")
      .choices(["auto", ...FORMATS])
      .default("auto"),
    new Option("--images <dir>", "folder of the images (default: where the format has them)"),
    new Option("--split <name>", "which part to read, if there are several, such as train of a data.yaml"),
  ];
}

export function sourceOf(annotations: string, { from, images, split }: SourceOptions): AnnotationSource {
  const folder = images === undefined ? undefined : resolve(images);
  return { annotations: resolve(annotations), images: folder, format: from, split };
}

export function setOption(): Option {
  const description =
    "override a field of the file, such as seed=1 or stages.finetune.solver.iterations=300; repeatable";
  return new Option("--set <key=value>", description).argParser(collectOverride);
}

/** Where the metrics of a run go as well. */
export function trackingOptions(): Option[] {
  return [
    new Option("--tensorboard <folder>", "also write the metrics of trainings there, as event files of TensorBoard"),
    new Option("--mlflow <uri>", "also log the run to this server or store of MLflow"),
    new Option("--wandb <project>", "also log the run to this project, or entity/project, of Weights & Biases"),
  ];
}

/** Repeatable. */
export function overrideGateOption(): Option {
  const description = "go on although this gate is not passed; the report says so; repeatable";
  return new Option("--override-gate <name>", description).argParser(collectGate);
}

function collectGate(text: string, previous: readonly GateName[] = []): GateName[] {
  const name = GATE_NAMES.find((known) => known === text);
  if (name === undefined) throw new InvalidArgumentError(`The gates are ${GATE_NAMES.join(", ")}.`);
  return [...previous, name];
}

export function parseNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("It must be names with commas between them.");
  return names;
}

export function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("It must be a number from 0 to 1.");
  return value;
}

/** @param mostDigits that the number may have. */
export function countParser(mostDigits: number, least = 1): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d*$/.test(text) || text.length > mostDigits || Number(text) < least)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${10 ** mostDigits - 1}.`);
    return Number(text);
  };
}

function collectOverride(text: string, previous: readonly Override[] = []): Override[] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("It must be key=value.");
  return [...previous, { key, value }];
}

/** The workspace of a command that has a configuration file: beside the file, unless it is given. */
export function workspaceBeside(configFile: string, given: string | undefined): string {
  return resolve(given ?? join(dirname(configFile), ".cassl"));
}

/** The workspace of a command without a file: in the working folder, unless it is given. */
export function workspaceHere(given: string | undefined): string {
  return resolve(given ?? ".cassl");
}
