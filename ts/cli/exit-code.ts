import type { Reason } from "../core/errors.js";

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
const EXIT_GATE = 3;
export const EXIT_INTERRUPTED = 130;

/** Reasons whose remedy is to correct what the user gave: the command line, the configuration or the data. */
const INPUT_REASONS: ReadonlySet<Reason> = new Set([
  "CONFIG_INVALID",
  "FILE_NOT_FOUND",
  "ANNOTATIONS_INVALID",
  "IMAGE_INVALID",
  "DATASET_EMPTY",
  "CATEGORY_MISMATCH",
]);

export function exitCodeOf(reason: Reason): number {
  if (INPUT_REASONS.has(reason)) return EXIT_USAGE;
  if (reason === "GATE_FAILED") return EXIT_GATE;
  return reason === "CANCELLED" ? EXIT_INTERRUPTED : EXIT_FAILED;
}
