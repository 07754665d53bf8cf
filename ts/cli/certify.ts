import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { toStorageError } from "../controller/storage.js";
import { type BatchParity, type Certificate, certify } from "../evaluation/onnx/certify.js";
import { interruptSignal } from "./interrupt.js";
import { jsonOption } from "./options.js";
import { textTable } from "./table.js";

interface CertifyOptions {
  readonly out?: string;
  readonly json?: true;
}

export function addCertify(program: Command): void {
  program
    .command("certify")
    .description(
      "Check that an exported model gives here what torch gave when it was exported, on the images that it carries. Exit code 1 if not.",
    )
    .argument("<model>", "ONNX file that cassl exported")
    .option("--out <file>", "write the certificate, JSON")
    .addOption(jsonOption("print the certificate as JSON"))
    .action(run);
}

async function run(model: string, { out, json }: CertifyOptions): Promise<void> {
  const certificate = await certify(model, interruptSignal());
  if (out !== undefined) {
    await writeFile(out, `${JSON.stringify(certificate, undefined, 1)}\n`).catch((error: unknown) => {
      throw toStorageError(error, `${out} cannot be written`);
    });
  }
  console.log(json ? JSON.stringify(certificate) : describe(model, certificate));
  if (!certificate.passed) process.exitCode = 1;
}

function describe(model: string, { passed, limits, batches, probes, family }: Certificate): string {
  const rows: [string, (parity: BatchParity) => string, string][] = [
    ["corner of a candidate, px", ({ box_px }) => box_px.toExponential(1), `at most ${limits.box_px}`],
    ["score of a candidate", ({ score }) => score.toExponential(1), `at most ${limits.score}`],
    ["share of detections not found", ({ unmatched }) => unmatched.toFixed(4), `at most ${limits.unmatched}`],
    [
      "AP, torch's detections as truth",
      ({ agreement_ap }) => shareOr("no detections", agreement_ap),
      `at least ${limits.agreement_ap}`,
    ],
  ];
  if (batches.some(({ mask_pixels }) => mask_pixels !== null)) {
    rows.push([
      "share of pixels of masks",
      ({ mask_pixels }) => shareOr("no masks", mask_pixels),
      `at most ${limits.mask_pixels}`,
    ]);
  }
  const header = ["difference from torch", ...batches.map(({ images_per_batch: n }) => `batch of ${n}`), "limit"];
  const table = textTable({
    header,
    rows: rows.map(([name, value, limit]) => [name, ...batches.map(value), limit]),
  });
  const verdict = passed ? "gives what torch gave" : "does NOT give what torch gave";
  const count = batches[0]?.detections ?? 0;
  return `${table}\n\n${model} (${family}) ${verdict}, on ${probes.length} images with ${count} detections: ${probes.join("; ")}.`;
}

function shareOr(none: string, value: number | null): string {
  return value === null ? none : value.toFixed(4);
}
