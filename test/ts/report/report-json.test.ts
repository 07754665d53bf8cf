import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig, parseConfigText } from "../../../ts/pipeline/config.js";
import { configHash } from "../../../ts/pipeline/pipeline.js";
import { configurationText } from "../../../ts/report/manifest.js";
import { type ReportJson, writeReport } from "../../../ts/report/report.js";
import { exampleConfig, exampleInput, exampleResult } from "./example.js";

describe("report.json", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-report-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = async (input = exampleInput()): Promise<ReportJson> => {
    await writeReport(input, folder);
    return JSON.parse(await readFile(join(folder, "report.json"), "utf8")) as ReportJson;
  };

  it("says which format it has, and holds result.json as it is", async () => {
    const { format, version, run, result } = await write();
    assert.deepEqual([format, version, run.id], ["cassl-report", 1, exampleResult.run]);
    assert.deepEqual(result, JSON.parse(JSON.stringify(exampleResult)));
  });

  it("has the differences of the arms with their intervals, which hold the difference", async () => {
    const { differences, evaluations } = await write();
    assert.deepEqual(
      differences.map(({ arm, baseline, target, confidence }) => [arm, baseline, target, confidence]),
      [["class_agnostic", "supervised", "light", 0.95]],
    );
    const [{ difference, interval } = assert.fail()] = differences;
    assert.ok(interval[0] < difference.mean && difference.mean < interval[1]);
    assert.deepEqual(evaluations[1]?.curve, { recall: [0, 0.5, 1], precision: [1, 0.8, 0] });
    assert.deepEqual(evaluations[0]?.errors["missed"], { count: 3, ap50_gained: 0.01 });
  });

  it("compares arms within a family of detectors only", async () => {
    const arms = exampleResult.arms.map((arm, index) => ({ ...arm, target: index === 0 ? "light" : "fcos" }));
    const { differences } = await write(exampleInput({ result: { ...exampleResult, arms } }));
    assert.deepEqual(differences, []);
  });

  it("has what was planned beside what was done, and null where nothing was known", async () => {
    const { cost } = await write();
    const { steps, ...sums } = cost;
    assert.deepEqual(
      steps.map(({ planned_seconds }) => planned_seconds),
      [null, null, 40],
    );
    const expected = { planned_seconds: 40, planned_steps_seconds: 30, done_seconds: 102.4, reused_seconds: 41.2 };
    assert.deepEqual(sums, expected);
  });

  it("keeps names as they are, whatever they look like", async () => {
    const name = `<script>alert("1")</script>\n|`;
    const image = { title: name, image_path: "/no/such", width_px: 4, height_px: 3, boxes: [] };
    const { samples } = await write(exampleInput({ samples: [{ title: name, images: [image] }] }));
    assert.deepEqual(samples, [{ title: name, images: [{ title: name, width_px: 4, height_px: 3, boxes: [] }] }]);
  });

  it("leads back to a run of the same configuration", async () => {
    const { config } = await write();
    assert.equal(configHash(parseConfig(config)), configHash(exampleConfig));
    const yaml = configurationText({ ...exampleInput().run });
    assert.equal(configHash(parseConfigText(yaml, "/elsewhere/cassl.yaml")), configHash(exampleConfig));
  });
});
