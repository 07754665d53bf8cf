/** `cassl check` for a configuration. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArtifactStore } from "../controller/artifacts.js";
import type { CuratedData } from "../data/curate.js";
import type { FateCount } from "../data/ledger.js";
import type { StepStore } from "../pipeline/step.js";
import { formatShare } from "../report/format.js";
import { type Override, readConfig } from "./config-file.js";
import { curateShown } from "./curate-shown.js";
import { interruptSignal } from "./interrupt.js";
import { textTable } from "./table.js";

export interface ConfigCheckOptions {
  readonly set?: readonly Override[];
  readonly json?: true;
}

const NOTHING_KEPT: StepStore = { findStep: () => undefined, saveStep: () => {} };

export async function checkConfig(file: string, { set, json }: ConfigCheckOptions): Promise<void> {
  const config = await readConfig(file, set ?? []);
  const interrupted = interruptSignal();
  const folder = await mkdtemp(join(tmpdir(), "cassl-check-"));
  try {
    const artifacts = await openArtifactStore(folder);
    const data = await curateShown(
      config,
      { state: NOTHING_KEPT, artifacts, imageCache: join(folder, "images") },
      interrupted,
    );
    const reasons = dropReasons(data.fates);
    console.log(
      json
        ? JSON.stringify({ ...data.counts, labeled_fraction: data.labeled_fraction, dropped_for: reasons })
        : summary(data, reasons),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function summary({ counts, labeled_fraction }: CuratedData, reasons: Readonly<Record<string, number>>): string {
  const boxes = ({ rounded, clipped, dropped }: { rounded: number; clipped: number; dropped: number }): string[] =>
    [rounded, clipped, dropped].map(String);
  const rows = [
    [`labeled (${formatShare(labeled_fraction)})`, String(counts.labeled), ...boxes(counts.boxes.labeled)],
    ["unlabeled", String(counts.unlabeled)],
    ["validation", String(counts.validation), ...boxes(counts.boxes.validation)],
  ];
  const dropped = Object.entries(reasons).map(([reason, count]) => `  ${count} x ${reason}`);
  return [
    textTable({ header: ["set", "images", "boxes rounded", "clipped", "dropped"], rows }),
    `\n${counts.dropped} images are not used${dropped.length === 0 ? "." : ":"}`,
    ...dropped,
    "\nThe configuration and its data are in order.",
  ].join("\n");
}

/** How many images were dropped for each reason. */
function dropReasons(fates: readonly FateCount[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason, images } of fates) {
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + images;
  }
  return counts;
}
