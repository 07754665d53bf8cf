import { type Command, InvalidArgumentError, Option } from "commander";
import { type CocoSummary, evaluateCoco, type IouType } from "../evaluation/coco/index.js";
import { formatAp } from "../report/format.js";
import { jsonOption } from "./options.js";
import { textTable } from "./table.js";

interface EvalOptions {
  readonly iouType: IouType;
  readonly classAgnostic?: true;
  readonly maxDets: readonly number[];
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
    .addOption(jsonOption("print all numbers as fractions, as JSON"))
    .action(evaluate);
}

async function evaluate(gt: string, dt: string, options: EvalOptions): Promise<void> {
  const { iouType, classAgnostic, maxDets, json } = options;
  const evaluation = await evaluateCoco(gt, dt, { iouType, useCats: !classAgnostic, maxDets });
  const { summary, stats, perClass, warnings } = evaluation;
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (json) {
    const per_class = perClass.map(({ categoryId, ...rest }) => ({ category_id: categoryId, ...rest }));
    console.log(JSON.stringify({ stats, per_class, warnings }));
    return;
  }
  console.log(textTable({ header: ["", "all", "small", "medium", "large"], rows: rows(summary, maxDets) }));
}

/** COCO has AP and the last recall for each size of object, the rest for all sizes together. */
function rows(summary: CocoSummary, maxDets: readonly number[]): string[][] {
  const { ap, ap50, ap75, apSmall, apMedium, apLarge, ar1, ar10, ar100, arSmall, arMedium, arLarge } = summary;
  const [few, some, many] = [...maxDets].sort((a, b) => a - b);
  const row = (name: string, ...values: readonly number[]): string[] => [name, ...values.map(formatAp)];
  return [
    row("AP", ap, apSmall, apMedium, apLarge),
    row("AP50", ap50),
    row("AP75", ap75),
    row(`AR${few}`, ar1),
    row(`AR${some}`, ar10),
    row(`AR${many}`, ar100, arSmall, arMedium, arLarge),
  ];
}

function parseCounts(text: string): number[] {
  if (!/^\d{1,6}(,\d{1,6}){2}$/.test(text))
    throw new InvalidArgumentError("It must be three whole numbers, such as 1,10,100.");
  return text.split(",").map(Number);
}
