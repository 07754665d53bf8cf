import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type CocoEvaluation,
  type EvaluateCocoOptions,
  evaluateCoco,
  type IouType,
  readCocoGroundTruth,
  readCocoResults,
} from "../evaluation/coco/index.js";
import { compareModels, type Diagnosis, diagnose, type ModelComparison } from "../evaluation/diagnosis/index.js";
import { comparisonText, diagnosisText } from "./diagnosis-tables.js";
import { cocoText, evaluationJson, lvisText } from "./evaluation-output.js";
import { jsonOption } from "./options.js";

interface EvalOptions {
  readonly iouType: IouType;
  readonly classAgnostic?: true;
  readonly maxDets: readonly number[];
  readonly lvis?: true;
  readonly diagnose?: true;
  readonly against?: string;
  readonly resamples: number;
  readonly seed: number;
  readonly json?: true;
}

export function addEval(program: Command): void {
  program
    .command("eval")
    .description("Print the twelve COCO numbers of detections, times 100.")
    .argument("<gt>", "ground truth, COCO JSON")
    .argument("<dt>", "detections, COCO results JSON")
    .addOption(new Option("--iou-type <type>", "compare boxes or masks").choices(["bbox", "segm"]).default("bbox"))
    .option("--class-agnostic", "let detections match ground truth of any class")
    .addOption(
      new Option("--max-dets <counts>", "how many of an image's best detections count, for the three average recalls")
        .default([1, 10, 100], "1,10,100")
        .argParser(parseCounts),
    )
    .addOption(
      new Option("--lvis", "print the numbers of LVIS: images are annotated for some classes only").conflicts([
        "classAgnostic",
        "maxDets",
      ]),
    )
    .addOption(
      new Option("--diagnose", "print what kinds of errors cost how much AP, and more").conflicts([
        "classAgnostic",
        "lvis",
      ]),
    )
    .option("--against <dt>", "print the difference in AP from these detections, with a bootstrap interval")
    .addOption(wholeNumberOption("--resamples <n>", "samples of the bootstrap", 1000))
    .addOption(wholeNumberOption("--seed <n>", "seed of the bootstrap", 0))
    .addOption(jsonOption("print all numbers as fractions, as JSON"))
    .action(evaluate);
}

async function evaluate(gt: string, dt: string, options: EvalOptions): Promise<void> {
  const { evaluation, diagnosis } = await evaluateFiles(gt, dt, options);
  for (const warning of evaluation.warnings) console.error(`warning: ${warning}`);
  const comparison = await compareWithOther(evaluation, gt, options);
  if (options.json) {
    console.log(JSON.stringify(evaluationJson(evaluation, diagnosis, comparison)));
    return;
  }
  const texts = [evaluation.lvis ? lvisText(evaluation.lvis) : cocoText(evaluation.summary, options.maxDets)];
  if (diagnosis) texts.push(diagnosisText(diagnosis));
  if (comparison) texts.push(comparisonText(comparison));
  console.log(texts.join("\n\n"));
}

interface Evaluated {
  readonly evaluation: CocoEvaluation;
  readonly diagnosis?: Diagnosis;
}

async function evaluateFiles(gt: string, dt: string, options: EvalOptions): Promise<Evaluated> {
  if (options.diagnose) {
    return diagnose(await readCocoGroundTruth(gt), await readCocoResults(dt), {
      iouType: options.iouType,
      maxDets: options.maxDets,
    });
  }
  const matches = options.against !== undefined;
  return { evaluation: await evaluateCoco(gt, dt, { ...cocoOptions(options), matches }) };
}

async function compareWithOther(
  { matches }: CocoEvaluation,
  gt: string,
  options: EvalOptions,
): Promise<ModelComparison | undefined> {
  if (options.against === undefined || matches === undefined) return undefined;
  const other = await evaluateCoco(gt, options.against, { ...cocoOptions(options), matches: true });
  return compareModels(matches, other.matches, { resamples: options.resamples, seed: options.seed });
}

function cocoOptions({ iouType, lvis, classAgnostic, maxDets }: EvalOptions): EvaluateCocoOptions {
  return lvis ? { iouType, federated: true } : { iouType, useCats: !classAgnostic, maxDets };
}

function parseCounts(text: string): number[] {
  if (!/^\d{1,6}(,\d{1,6}){2}$/.test(text))
    throw new InvalidArgumentError("It must be three whole numbers, such as 1,10,100.");
  return text.split(",").map(Number);
}

function wholeNumberOption(flags: string, description: string, preset: number): Option {
  return new Option(flags, description).default(preset).argParser((text) => {
    if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
    return Number(text);
  });
}
