import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { categoriesOf, findStoredLabels, openWorkspaceOf, type StoredLabels } from "../controller/stored-labels.js";
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { previewSelection, writePseudoLabels } from "../labels/pseudo-labels.js";
import type { SelectionPolicy } from "../labels/select-rows.js";
import { interruptSignal } from "./interrupt.js";
import { countParser, jsonOption, parseShare, workspaceHere, workspaceOption } from "./options.js";
import { type Effect, effectOf, selectionText } from "./selection-text.js";

interface SelectOptions {
  readonly threshold?: readonly number[];
  readonly nmsIou?: number;
  readonly nmsOf?: "boxes" | "masks";
  readonly maxPerImage?: number;
  readonly minSide?: number;
  readonly arm?: string;
  readonly workspace?: string;
  readonly out?: string;
  readonly json?: true;
}

export function addSelect(program: Command): void {
  program
    .command("select")
    .description(
      "Choose pseudo labels anew from the stored predictions of a run, without predicting, and show what they would be. Writes nothing unless --out says where.",
    )
    .argument("<run>", "id of the run, or `latest`; one that a gate has stopped will do")
    .option(
      "--threshold <scores>",
      "scores from which on predictions count, such as 0.3,0.5 (default: the run's)",
      parseScores,
    )
    .option("--nms-iou <iou>", "IoU above which the lower of two boxes is dropped (default: the run's)", parseShare)
    .addOption(
      new Option("--nms-of <what>", "what that is the IoU of (default: the run's)").choices(["boxes", "masks"]),
    )
    .option("--max-per-image <count>", "pseudo labels of an image (default: the run's)", countParser(7))
    .option("--min-side <px>", "smallest width and height (default: the run's)", parseSide)
    .option("--arm <name>", "arm, or round such as class_agnostic/round_2 (default: the last one)")
    .addOption(workspaceOption("in the working folder"))
    .option("--out <file>", "write the pseudo labels to this Parquet file, for `cassl labels export`")
    .addOption(jsonOption("print one JSON object a threshold"))
    .action(select);
}

async function select(run: string, options: SelectOptions): Promise<void> {
  const signal = interruptSignal();
  const { state, artifacts, close } = await openWorkspaceOf(workspaceHere(options.workspace));
  try {
    const stored = findStoredLabels(state, run, options.arm);
    const effects: Effect[] = [];
    for (const policy of policiesOf(stored, options)) {
      const stats = await previewSelection(stored.predictions, policy, artifacts, signal);
      effects.push(effectOf(stored, policy, stats));
    }
    if (options.out !== undefined) await write(stored, effects, resolve(options.out), artifacts, signal);
    if (options.json) for (const effect of effects) console.log(JSON.stringify(effect));
    else console.log(selectionText(stored, effects));
  } finally {
    close();
  }
}

/** The run's own policy with what is given in its place, once for each threshold. */
function policiesOf({ config, selected }: StoredLabels, options: SelectOptions): SelectionPolicy[] {
  const own = config.stages?.pseudo_label?.select;
  const fallback = selected?.score_threshold ?? own?.score_threshold?.score;
  const thresholds = options.threshold ?? (fallback === undefined ? [] : [fallback]);
  if (thresholds.length === 0) throw noThreshold();
  return thresholds.map((score_threshold) => ({
    score_threshold,
    nms_iou: options.nmsIou ?? own?.nms_iou ?? 1,
    nms_of: options.nmsOf ?? (own?.nms_of as SelectionPolicy["nms_of"]),
    max_per_image: options.maxPerImage ?? own?.max_per_image ?? 1,
    min_side_px: options.minSide ?? own?.min_side_px ?? 0,
  }));
}

async function write(
  stored: StoredLabels,
  effects: readonly Effect[],
  out: string,
  artifacts: ArtifactStore,
  signal: AbortSignal,
): Promise<void> {
  const [only, ...others] = effects;
  if (only === undefined || others.length > 0) throw severalThresholds();
  const categories = await categoriesOf(stored, artifacts);
  await writePseudoLabels(out, stored.predictions, categories, only.policy, artifacts, signal);
}

function noThreshold(): CasslError {
  const message = "The run stopped before it chose a score threshold.";
  return new CasslError("CONFIG_INVALID", message, "Give one with --threshold.");
}

function severalThresholds(): CasslError {
  return new CasslError("CONFIG_INVALID", "--out takes the pseudo labels of one threshold.", "Give one --threshold.");
}

function parseScores(text: string): number[] {
  return text.split(",").map(parseShare);
}

function parseSide(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new InvalidArgumentError("It must be a number from 0.");
  return value;
}
