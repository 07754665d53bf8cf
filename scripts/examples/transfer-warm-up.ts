/**
 * One warm-up model, several detectors: runs that differ in the fine-tune only share everything before it, because a step with
 * the same inputs is not done again. (Detectors of several families in one run: `targets` of cassl.yaml.)
 *
 *     node dist/scripts/examples/transfer-warm-up.js cassl.yaml
 */
import { readFileSync } from "node:fs";
import { CasslClient, parseConfigText, toRunConfig } from "cassl";

const [file = "cassl.yaml"] = process.argv.slice(2);
const config = parseConfigText(readFileSync(file, "utf8"), file);
const client = new CasslClient(process.env["CASSL_CONTROLLER"] ?? "127.0.0.1:7070");

const { finetune } = config.stages;
const targets = {
  "as-configured": finetune,
  "expanded-predictor": { ...finetune, class_predictor: "expand" as const },
  "half-rate": { ...finetune, solver: { ...finetune.solver, learning_rate: finetune.solver.learning_rate / 2 } },
};

for (const [name, target] of Object.entries(targets)) {
  const runId = `${config.name}-${name}`;
  const stages = { ...config.stages, finetune: target };
  await client.createRun(runId, toRunConfig({ ...config, arms: ["class_agnostic"], stages }));
  const { arms, steps } = await client.resultOf(runId);
  const done = steps.filter(({ reused }) => !reused).map((step) => step.name);
  console.log(`${name}: AP ${(100 * (arms[0]?.ap ?? 0)).toFixed(1)}, done: ${done.join(" ") || "nothing"}`);
}
client.close();
