/** Runs: the list, one of them, its events, its files, and what can be done with it. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { Router } from "express";
import type { ControllerParts } from "../controller/controller.js";
import { evaluationSteps, labelingScopes, stepOutputs } from "../controller/step-outputs.js";
import { CasslError } from "../core/errors.js";
import type { EvaluationSummary } from "../evaluation/evaluate-onnx.js";
import type { Run, RunEvent } from "../gen/cassl/v1/run.js";
import type { LabelerQuality } from "../pipeline/judge-labeler.js";
import type { JudgedLabels } from "../pipeline/operations.js";
import { json, parameter, query, wholeNumber } from "./answers.js";
import { eventStream, type ServerEvent } from "./event-stream.js";
import { createOverviews } from "./overviews.js";
import type { Protection } from "./protection.js";
import { sendReport } from "./report-file.js";
import { createRunRows, type RunRows } from "./run-rows.js";
import { createRunTable } from "./run-table.js";
import type { ArtifactLink, LabelingSummary, RunDetail, StreamedEvent } from "./wire/runs.js";

const SHA256 = /^[0-9a-f]{64}$/;

export function runRoutes(parts: ControllerParts, { allow }: Protection): Router {
  const { runs, state, artifacts } = parts;
  const rows = createRunRows(parts);
  const overviews = createOverviews(createRunTable(parts, rows), rows.workers);
  const router = Router();
  const run = (request: Parameters<typeof parameter>[0]): Run => runs.get(parameter(request, "run"));

  router.get("/overview", allow("ListRuns"), json(overviews.now));
  router.get(
    "/overview/events",
    allow("ListRuns"),
    eventStream((request, signal) => overviews.follow(query(request, "run"), signal)),
  );
  router.get(
    "/runs/:run",
    allow("GetRun"),
    json((request) => detail(parts, rows, run(request))),
  );
  router.get(
    "/runs/:run/events",
    allow("WatchRun"),
    eventStream((request, signal) => {
      const seen = Number(request.headers["last-event-id"] ?? wholeNumber(request, "after") ?? 0);
      return streamed(runs.watch(parameter(request, "run"), Number.isSafeInteger(seen) ? seen : 0, signal));
    }),
  );
  router.get(
    "/steps/:key/progress",
    allow("WatchRun"),
    json((request) => state.progressOf(parameter(request, "key"))),
  );
  router.post(
    "/runs/:run/cancel",
    allow("CancelRun"),
    json((request) => rows.row(runs.cancel(parameter(request, "run")))),
  );
  router.post(
    "/runs/:run/retry",
    allow("RetryRun"),
    json((request) => rows.row(runs.retry(parameter(request, "run")))),
  );
  router.post(
    "/runs/:run/override-gates",
    allow("OverrideGates"),
    json((request) => rows.row(runs.overrideGates(parameter(request, "run"), gatesOf(request.body)))),
  );
  router.get("/runs/:run/files/:file", allow("GetRun"), (request, response, next) => {
    const folder = join(parts.workspace, "runs", run(request).run_id);
    sendReport(join(folder, basename(parameter(request, "file"))), response, next);
  });
  router.get("/artifacts/:sha256", allow("GetRun"), async (request, response) => {
    const sha256 = parameter(request, "sha256");
    if (!SHA256.test(sha256)) throw new CasslError("REQUEST_INVALID", "This is no SHA-256.", "Give 64 hex digits.");
    const path = await artifacts.path(sha256);
    const name = query(request, "name").replace(/[^\w.-]/g, "_") || sha256;
    response.set({
      "Content-Type": "application/octet-stream",
      "Cache-Control": "private, max-age=31536000, immutable",
    });
    response.attachment(name).sendFile(path, { dotfiles: "allow" });
  });
  return router;
}

async function* streamed(events: AsyncIterable<RunEvent>): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    const data: StreamedEvent = { ...event, at: event.at?.getTime() ?? 0 };
    yield { id: event.sequence, data };
  }
}

async function detail(parts: ControllerParts, rows: RunRows, run: Run): Promise<RunDetail> {
  const { state, artifacts, workspace } = parts;
  const outputs = stepOutputs(run.run_id, state);
  const links = [...outputs].flatMap(([step, output]) => artifactsIn(step, output));
  const present = await Promise.all(links.map(async (link) => (await artifacts.stat(link.sha256)) !== undefined));
  return {
    row: await rows.row(run),
    config: run.config,
    config_hash: run.config_hash,
    overridden_gates: run.overridden_gates,
    has_data: outputs.has("curate"),
    has_report: existsSync(join(workspace, "runs", run.run_id, "report.html")),
    artifacts: links.filter((_, index) => present[index]),
    labelings: labelingScopes(outputs).map((scope) => labelingSummary(scope, outputs)),
    evaluations: evaluationSteps(outputs).map((step) => {
      const { ap, ap50, ap75, class_agnostic_ap } = outputs.get(step) as EvaluationSummary;
      return { step, ap, ap50, ap75, class_agnostic_ap };
    }),
  };
}

function labelingSummary(scope: string, outputs: ReadonlyMap<string, unknown>): LabelingSummary {
  const selected = outputs.get(`${scope}/select`) as JudgedLabels | undefined;
  const quality = outputs.get(`${scope}/choose_threshold`) as LabelerQuality | undefined;
  return {
    scope,
    selected: selected && {
      score_threshold: selected.score_threshold,
      images: selected.stats.images,
      empty_images: selected.stats.empty_images,
      pseudo_labels: selected.stats.pseudo_labels,
    },
    precision: quality?.threshold.precision,
    recall: quality?.threshold.recall,
  };
}

/** What a step's output refers to by a member `sha256`, named by the step and the member. */
function artifactsIn(name: string, output: unknown): ArtifactLink[] {
  if (output === null || typeof output !== "object") return [];
  if ("sha256" in output && "size_bytes" in output && typeof output.sha256 === "string") {
    return [{ name, sha256: output.sha256, size_bytes: Number(output.size_bytes) }];
  }
  return Object.entries(output).flatMap(([member, value]) => artifactsIn(`${name}/${member}`, value));
}

/** Unknown names are for the run to refuse. */
function gatesOf(body: unknown): string[] {
  const gates: unknown = (body as { gates?: unknown } | undefined)?.gates;
  if (Array.isArray(gates) && gates.every((gate) => typeof gate === "string")) return gates;
  throw new CasslError("REQUEST_INVALID", "`gates` is no list of names.", "Give the gates that have failed.");
}
