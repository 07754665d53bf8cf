/** `cassl check` for a configuration. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArtifactStore } from "../controller/artifacts.js";
import type { ArtifactStore } from "../core/artifacts.js";
import type { CuratedData } from "../data/curate.js";
import type { Config } from "../pipeline/config.js";
import { curateData } from "../pipeline/operations.js";
import { createSteps, type EmitEvent } from "../pipeline/step.js";
import { formatShare } from "../report/format.js";
import { type Override, readConfig } from "./config-file.js";
import { interruptSignal } from "./interrupt.js";
import { createView } from "./progress-view.js";
import { textTable } from "./table.js";

export interface ConfigCheckOptions {
  readonly set?: readonly Override[];
  readonly json?: true;
}

type Ledger = readonly { readonly fate: "used" | "dropped"; readonly reason?: string }[];

export async function checkConfig(file: string, { set, json }: ConfigCheckOptions): Promise<void> {
  const config = await readConfig(file, set ?? []);
  const interrupted = interruptSignal();
  const folder = await mkdtemp(join(tmpdir(), "cassl-check-"));
  try {
    const artifacts = await openArtifactStore(folder);
    const data = await curateOnce(config, artifacts, interrupted);
    const reasons = dropReasons(decodeLedger(await artifacts.read(data.ledger.sha256)));
    console.log(
      json
        ? JSON.stringify({ ...data.counts, labeled_fraction: data.labeled_fraction, dropped_for: reasons })
        : summary(data, reasons),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first step of a run, with nothing kept. */
async function curateOnce(config: Config, artifacts: ArtifactStore, signal: AbortSignal): Promise<CuratedData> {
  const view = createView(false);
  let sequence = 0;
  const emit: EmitEvent = (event) => view.show({ sequence: ++sequence, at: new Date(), event });
  try {
    return await curateData(config, {
      artifacts,
      steps: createSteps({ findStep: () => undefined, saveStep: () => {} }, artifacts, emit, signal),
    });
  } finally {
    view.close();
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

function decodeLedger(bytes: Uint8Array): Ledger {
  const lines = Buffer.from(bytes).toString().split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Ledger[number]);
}

/** How many images were dropped for each reason. What comes after a colon is about one image. */
function dropReasons(ledger: Ledger): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fate, reason } of ledger) {
    if (fate === "used") continue;
    const kind = reason?.split(":")[0] ?? "unknown";
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
