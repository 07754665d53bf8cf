/** Checks the result.json that the demo's last line names: `node .ci/check-demo.mjs PATH`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const SHA256 = /^[0-9a-f]{64}$/;

const [path = ""] = process.argv.slice(2);
assert.match(path, /result\.json$/, "the last line of the demo is not the path of a result.json");
const { run, config_hash, arms, steps, gates } = JSON.parse(readFileSync(path, "utf8"));

assert.equal(typeof run, "string");
assert.match(config_hash, SHA256);

assert.deepEqual(
  arms.map(({ arm }) => arm),
  ["supervised", "class_agnostic"],
);
for (const arm of arms) {
  for (const name of ["ap", "ap50", "ap75", "class_agnostic_ap"]) {
    assert.ok(Number.isFinite(arm[name]) && arm[name] >= 0 && arm[name] <= 1, `${arm.arm}: ${name} is ${arm[name]}`);
  }
  assert.ok(Number.isInteger(arm.seed) && arm.fraction > 0 && arm.fraction <= 1 && typeof arm.target === "string");
}
assert.ok(arms[0].total_iterations > 0);
assert.equal(
  arms[1].total_iterations,
  arms[0].total_iterations,
  "the arms trained for different numbers of iterations",
);

for (const { name, key, reused, seconds } of steps) {
  assert.ok(typeof name === "string" && typeof reused === "boolean" && seconds >= 0, `step ${name}`);
  assert.match(key, SHA256);
}
const STAGES = ["pseudo_labeler", "predict", "select", "warmup", "finetune", "export", "evaluate"];
for (const name of ["curate", "supervised/finetune", ...STAGES.map((stage) => `class_agnostic/${stage}`)]) {
  assert.ok(
    steps.some((step) => step.name === name),
    `there is no step ${name}`,
  );
}

assert.ok(gates.length > 0);
for (const { name, value, limit, passed } of gates) {
  assert.ok(
    typeof name === "string" && Number.isFinite(value) && passed === true,
    `gate ${name}: ${value}, limit ${limit}`,
  );
}
console.log(`${path} is as it should be.`);
