/** That the exported models give what torch gave, as tables. Pure functions. */
import type { BatchParity } from "../evaluation/onnx/certify.js";
import { armName } from "./arm-name.js";
import type { ReportInput } from "./report-input.js";
import type { Table } from "./tables.js";

export const PARITY_CAPTION =
  "What the exported ONNX files give here differs from what torch gave by at most so much, on the images that they carry, one at a time and several at once";

type Parity = Pick<ReportInput, "result" | "certificates">;

/** The limits, then a row for each arm and number of images at a time. */
export function parityTable({ result: { arms }, certificates }: Parity): Table {
  const limits = certificates[0]?.limits;
  const rows = certificates.flatMap(({ batches, passed }, index) => {
    const arm = arms[index];
    const name = arm === undefined ? "" : armName(arm, arms);
    return batches.map((batch) => [name, ...parityCells(batch), passed ? "passed" : "failed"]);
  });
  return {
    header: [
      "arm",
      "images at a time",
      "box, px",
      "score",
      "detections not found",
      "AP with torch as the truth",
      "mask pixels",
      "detections",
      "",
    ],
    rows: [
      ...(limits === undefined
        ? []
        : [
            [
              "limit",
              "",
              `${limits.box_px}`,
              `${limits.score}`,
              `${limits.unmatched}`,
              `at least ${limits.agreement_ap}`,
              `${limits.mask_pixels}`,
              "",
              "",
            ],
          ]),
      ...rows,
    ],
  };
}

function parityCells(batch: BatchParity): string[] {
  const { images_per_batch, box_px, score, unmatched, agreement_ap, mask_pixels, detections } = batch;
  return [
    String(images_per_batch),
    box_px.toExponential(1),
    score.toExponential(1),
    unmatched.toFixed(4),
    agreement_ap === null ? "-" : agreement_ap.toFixed(4),
    mask_pixels === null ? "-" : mask_pixels.toFixed(4),
    String(detections),
  ];
}
