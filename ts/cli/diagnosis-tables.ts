/** What `cassl eval --diagnose` and `--against` print. Pure functions. */
import type { CocoSummary } from "../evaluation/coco/index.js";
import {
  type BestThreshold,
  type Calibration,
  type ClassAwareness,
  type ConfusionMatrix,
  confusedPairs,
  type Diagnosis,
  type ErrorSplit,
  errorKinds,
  type ImageErrors,
  type ModelComparison,
} from "../evaluation/diagnosis/index.js";
import { formatAp, formatNumber, formatShare } from "../report/format.js";
import type { Table } from "../report/tables.js";
import { textTable } from "./table.js";

const MOST_PAIRS = 10;

export function diagnosisText(diagnosis: Diagnosis): string {
  const { perClass, errors, confusion, calibration, bestThreshold, classAwareness, worstImages } = diagnosis;
  const kept =
    bestThreshold.threshold === null ? "all detections" : `detections from score ${formatScore(bestThreshold)}`;
  return [
    section("Classes", classTable(perClass)),
    section("Best score threshold at IoU 0.5 for all classes together", thresholdTable(bestThreshold)),
    section("Errors at IoU 0.5, and how much AP50 rises with each kind fixed (TIDE)", errorTable(errors)),
    section("What wrong classes cost", awarenessTable(classAwareness)),
    section(`Classes most often taken for another, ${kept}`, confusionTable(confusion)),
    section(calibrationTitle(calibration), calibrationTable(calibration)),
    section(`Images with the most errors, ${kept}`, imageTable(worstImages)),
  ].join("\n\n");
}

export function comparisonText(comparison: ModelComparison): string {
  const { firstAp, secondAp, difference, lower, upper, firstBetter, resamples, seed, confidence } = comparison;
  const shown = firstAp < 0 ? "-" : formatDifference(difference);
  const interval = firstAp < 0 ? "-" : `${formatDifference(lower)} to ${formatDifference(upper)}`;
  return [
    textTable({
      header: ["", "AP", `${formatShare(confidence)} interval`],
      rows: [
        ["first", formatAp(firstAp), ""],
        ["second", formatAp(secondAp), ""],
        ["first less second", shown, interval],
      ],
    }),
    `Paired bootstrap: ${resamples} samples of the images, seed ${seed}; the first is better in ${formatShare(firstBetter)}.`,
  ].join("\n");
}

function section(title: string, table: Table): string {
  return table.rows.length === 0 ? `${title}: none.` : `${title}\n${textTable(table)}`;
}

function classTable(perClass: Diagnosis["perClass"]): Table {
  return {
    header: ["class", "objects", "detections", "AP", "AP50", "AP75", "AR", "best F1", "from score"],
    rows: perClass.map((row) => [
      row.name,
      String(row.positives),
      String(row.detections),
      ...[row.ap, row.ap50, row.ap75, row.ar, row.f1].map(formatAp),
      formatScore(row),
    ]),
  };
}

function thresholdTable(best: BestThreshold): Table {
  return {
    header: ["score", "F1", "precision", "recall"],
    rows: [[formatScore(best), ...[best.f1, best.precision, best.recall].map(formatAp)]],
  };
}

function errorTable({ kinds, falsePositives, falseNegatives }: ErrorSplit): Table {
  const row = (name: string, { count, apGained }: ErrorSplit["falsePositives"]) => [
    name,
    String(count),
    formatAp(apGained),
  ];
  return {
    header: ["error", "count", "AP50 gained"],
    rows: [
      ...errorKinds.map((kind) => row(kind, kinds[kind])),
      row("all false positives", falsePositives),
      row("all false negatives", falseNegatives),
    ],
  };
}

function awarenessTable({ classAware, classAgnostic, oracleClass }: ClassAwareness): Table {
  const row = (name: string, { ap, ap50, ap75, ar100 }: CocoSummary) => [
    name,
    ...[ap, ap50, ap75, ar100].map(formatAp),
  ];
  return {
    header: ["", "AP", "AP50", "AP75", "AR"],
    rows: [
      row("classes as detected", classAware),
      row("classes of the objects overlapped most", oracleClass),
      row("without classes", classAgnostic),
    ],
  };
}

function confusionTable(matrix: ConfusionMatrix): Table {
  return {
    header: ["class", "taken for", "count", "share of the class"],
    rows: confusedPairs(matrix, MOST_PAIRS).map(({ trueName, detectedName, count, share }) => {
      return [trueName, detectedName, String(count), formatShare(share)];
    }),
  };
}

function calibrationTitle({ ece, mce, outOfRange }: Calibration): string {
  const left = outOfRange === 0 ? "" : `, ${outOfRange} scores outside 0 to 1 left out`;
  return `Calibration at IoU 0.5: expected error ${formatAp(ece)}, maximum ${formatAp(mce)}${left}`;
}

function calibrationTable({ bins }: Calibration): Table {
  return {
    header: ["score", "detections", "mean score", "precision"],
    rows: bins
      .filter(({ count }) => count > 0)
      .map(({ from, to, count, meanScore, precision }) => [
        `${formatNumber(from)} to ${formatNumber(to)}`,
        String(count),
        formatNumber(meanScore),
        formatAp(precision),
      ]),
  };
}

function imageTable(images: readonly ImageErrors[]): Table {
  return {
    header: ["image", "objects", "errors", ...errorKinds],
    rows: images.map(({ imageId, positives, errors, kinds }) => [
      String(imageId),
      String(positives),
      String(errors),
      ...errorKinds.map((kind) => String(kinds[kind])),
    ]),
  };
}

function formatScore({ threshold }: BestThreshold): string {
  return threshold === null ? "-" : formatNumber(threshold);
}

function formatDifference(difference: number): string {
  const points = (100 * difference).toFixed(1);
  return Number(points) > 0 ? `+${points}` : points.replace(/^-(0\.0)$/, "$1");
}
