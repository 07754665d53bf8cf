/** Numbers for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/ */
import type { RequestHandler } from "express";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { ControllerParts } from "../controller/controller.js";
import { stateName } from "../core/run-state.js";
import { RUN_STATES } from "./wire/runs.js";

type MetricsParts = Pick<ControllerParts, "runs" | "pool" | "frames">;

/** Answers with runs by state, workers, prediction frames, and what Node.js tells of the process, as they are then. */
export function metricsHandler(parts: MetricsParts): RequestHandler {
  const registry = createRegistry(parts);
  return async (_request, response) => {
    response.set("Content-Type", registry.contentType).send(await registry.metrics());
  };
}

function createRegistry({ runs, pool, frames }: MetricsParts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "cassl_controller_" });
  const registers = [registry];
  new Gauge({
    name: "cassl_runs",
    help: "Runs of the workspace by state.",
    labelNames: ["state"],
    registers,
    collect() {
      const states = runs.list().map(({ run }) => stateName(run.state));
      for (const state of RUN_STATES) this.set({ state }, states.filter((other) => other === state).length);
    },
  });
  new Gauge({
    name: "cassl_workers",
    help: "Attached workers by what they do.",
    labelNames: ["activity"],
    registers,
    collect() {
      const workers = pool.list();
      const busy = workers.filter(({ running_task_id }) => running_task_id !== "").length;
      this.set({ activity: "busy" }, busy);
      this.set({ activity: "idle" }, workers.length - busy);
    },
  });
  new Counter({
    name: "cassl_prediction_frames_total",
    help: "Prediction frames since the controller was started, by what became of them.",
    labelNames: ["fate"],
    registers,
    collect() {
      this.reset();
      for (const [fate, count] of Object.entries(frames)) {
        if (typeof count === "number") this.inc({ fate }, count);
      }
    },
  });
  return registry;
}
