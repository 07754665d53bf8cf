/** What the references make of random predictions: test/golden/labels.json, made by scripts/golden_labels.py. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";
import type { BoxColumns } from "../../../ts/labels/box-columns.js";
import type { Decay, MatrixKernel } from "../../../ts/labels/soft-nms.js";
import type { FusionOptions } from "../../../ts/labels/weighted-box-fusion.js";

export interface Columns {
  readonly boxXyxy: number[];
  readonly score: number[];
  readonly classIndex: number[];
}

interface Fitted {
  readonly scores: number[];
  readonly is_right: number[];
}

type GoldenCase =
  | ({
      kind: "soft_nms";
      decay: Decay;
      score_threshold: number;
      expected: { kept: number[]; scores: number[] };
    } & Columns)
  | ({ kind: "matrix_nms"; kernel: MatrixKernel; expected: number[] } & Columns)
  | { kind: "fusion"; models: Columns[]; options: FusionOptions; expected: Columns }
  | ({ kind: "isotonic"; asked: number[]; expected: number[] } & Fitted)
  | ({ kind: "temperature"; expected: number } & Fitted);

const all = JSON.parse(readFileSync(join(packageRoot, "test/golden/labels.json"), "utf8")) as GoldenCase[];

export function goldenCases<Kind extends GoldenCase["kind"]>(kind: Kind): Extract<GoldenCase, { kind: Kind }>[] {
  return all.filter((one): one is Extract<GoldenCase, { kind: Kind }> => one.kind === kind);
}

export function toColumns({ boxXyxy, score, classIndex }: Columns): BoxColumns {
  return {
    boxXyxy: Float64Array.from(boxXyxy),
    score: Float64Array.from(score),
    classIndex: Int32Array.from(classIndex),
  };
}
