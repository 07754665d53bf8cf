/** What clients are told of data sets, pseudo labels and evaluations, by a controller with a worker in TypeScript. */
import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CasslClient } from "../../../ts/client/client.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { canonicalJson } from "../../../ts/core/hash.js";
import { evaluateCoco } from "../../../ts/evaluation/coco/index.js";
import type { ImageDetections, PseudoLabeledImage } from "../../../ts/gen/cassl/v1/controller_service.js";
import { type DataConfig, type RunConfig, State } from "../../../ts/gen/cassl/v1/run.js";
import { makeCellsProject, workOn } from "./cells-project.js";
import { makeFolder } from "./workbench.js";

describe("controller service", () => {
  let folder: string;
  let controller: Controller;
  let client: CasslClient;
  let config: RunConfig;
  let data: DataConfig;

  before(async () => {
    folder = await makeFolder();
    config = await makeCellsProject(folder);
    data = config.data as DataConfig;
    const workspace = join(folder, ".cassl");
    controller = await startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" });
    client = new CasslClient(controller.address);
    void workOn(controller.address);
    await client.registerDataset("cells", data);
    await client.createRun("first", config, { dataset: "cells" });
    for await (const _ of client.watchRun("first"));
  });
  after(async () => {
    client.close();
    await controller.stop();
    await rm(folder, { recursive: true });
  });

  describe("data sets", () => {
    it("are looked into once, and say what is in them", async () => {
      const dataset = await client.registerDataset("cells", data);
      const { labeled_images, unlabeled_images, validation_images, dropped_images } = dataset;
      assert.deepEqual([labeled_images, unlabeled_images, validation_images, dropped_images], [2, 3, 1, 0]);
      assert.deepEqual(await client.listDatasets(), [dataset]);
      const ledger = Buffer.from(await client.getArtifact(dataset.ledger?.sha256 ?? "")).toString();
      assert.equal(ledger.trim().split("\n").length, 6);
    });

    it("can be named by runs, which reuse what was found", async () => {
      const run = await client.getRun("first");
      assert.equal(run.state, State.SUCCEEDED, run.error?.message);
      assert.equal(canonicalJson(run.config?.data), canonicalJson(data));
      const result = JSON.parse(Buffer.from(await client.getArtifact(run.result?.sha256 ?? "")).toString());
      assert.deepEqual([result.steps[0].name, result.steps[0].reused], ["curate", true]);
    });

    it("are refused with what is wrong", async () => {
      await assert.rejects(client.registerDataset("cells", data, { seed: 5 }), { reason: "DATASET_EXISTS" });
      for (const name of ["", "../x", "a b", "x".repeat(65)]) {
        await assert.rejects(client.registerDataset(name, data), { reason: "CONFIG_INVALID", message: /name/ });
      }
      const broken = (change: Partial<DataConfig>) => client.registerDataset("other", { ...data, ...change });
      await assert.rejects(broken({ bad_images: "ignore" }), { reason: "CONFIG_INVALID", message: /bad_images/ });
      await assert.rejects(broken({ validation: undefined }), { reason: "CONFIG_INVALID", message: /validation/ });
      const validation = { annotations: "val.json", images: folder, format: "coco" };
      await assert.rejects(broken({ validation }), { reason: "CONFIG_INVALID", message: /val\.json" is relative/ });
      const missing = { ...validation, annotations: "/nowhere/val.json" };
      await assert.rejects(broken({ validation: missing }), { reason: "FILE_NOT_FOUND", message: /nowhere/ });
      await assert.rejects(client.createRun("b", config, { dataset: "none" }), { reason: "DATASET_NOT_FOUND" });
      assert.equal((await client.listDatasets()).length, 1);
    });
  });

  describe("pseudo labels", () => {
    const labelsOf = async (runId: string, arm: string, round?: number): Promise<PseudoLabeledImage[]> => {
      const images = [];
      const which = round === undefined ? {} : { round };
      for await (const image of client.streamPseudoLabels(runId, arm, which)) images.push(image);
      return images;
    };

    it("come image by image, with their boxes", async () => {
      const images = await labelsOf("first", "class_agnostic");
      assert.deepEqual(
        images.map(({ image_id, file_name }) => [image_id, file_name]),
        [0, 1, 2].map((index) => [index + 1, `unlabeled/${index}.png`]),
      );
      assert.deepEqual([images[0]?.width_px, images[0]?.height_px], [64, 48]);
      const [label] = images[1]?.labels ?? [];
      assert.deepEqual([label?.category_id, label?.box_xywh.length], [1, 4]);
      assert.ok(Math.abs((label?.score ?? 0) - 0.9) < 1e-6);
    });

    it("are those of the round of labeling that is asked for", async () => {
      const stages = structuredClone(config.stages as NonNullable<RunConfig["stages"]>);
      Object.assign(stages.warmup as object, { rounds: 2 });
      await client.createRun("rounds", { ...config, stages, arms: ["class_agnostic"] });
      const selected: number[] = [];
      for await (const { event } of client.watchRun("rounds")) {
        if (event?.$case !== "step_finished" || event.value.step !== "class_agnostic/select") continue;
        selected.push((await labelsOf("rounds", "class_agnostic", 1)).length);
        await assert.rejects(labelsOf("rounds", "class_agnostic", 2), { reason: "PSEUDO_LABELS_NOT_FOUND" });
      }
      selected.push((await labelsOf("rounds", "class_agnostic", 2)).length);
      assert.deepEqual(selected, [3, 3]);
      for (const round of [-1, 3])
        await assert.rejects(labelsOf("rounds", "class_agnostic", round), {
          reason: "REQUEST_INVALID",
          message: /has 2/,
        });
    });

    it("are refused where there are none", async () => {
      await assert.rejects(labelsOf("none", "class_agnostic"), { reason: "RUN_NOT_FOUND" });
      for (const arm of ["supervised", "class_specific", "", "x".repeat(9999)]) {
        await assert.rejects(labelsOf("first", arm), { reason: "PSEUDO_LABELS_NOT_FOUND", message: /first/ });
      }
      await client.createRun("bad", { ...config, data: { ...data, labeled: { ...data.labeled!, take: 1000 } } });
      for await (const _ of client.watchRun("bad"));
      await assert.rejects(labelsOf("bad", "class_agnostic"), { reason: "PSEUDO_LABELS_NOT_FOUND", message: /yet/ });
    });
  });

  describe("evaluation of detections", () => {
    const detections: ImageDetections[] = [
      { image_id: 1, box_xywh: [16, 16, 16, 16], category_id: [7], score: [0.9] },
      { image_id: 1, box_xywh: [0, 0, 20, 20, 30, 30, 9, 9], category_id: [3, 7], score: [0.8, 0.1] },
    ];

    it("gives the numbers of the metric, however the stream is cut", async () => {
      const groundTruth = JSON.parse(await readFile(join(folder, "val.json"), "utf8"));
      const results = detections.flatMap(({ image_id, box_xywh, category_id, score }) =>
        score.map((value, row) => {
          const bbox = box_xywh.slice(4 * row, 4 * row + 4);
          return { image_id, category_id: category_id[row] as number, bbox, score: value };
        }),
      );
      const expected = await evaluateCoco(groundTruth, results);
      const evaluated = await client.evaluateDetections("cells", detections);
      assert.deepEqual(evaluated.stats, [...expected.stats]);
      assert.deepEqual(
        evaluated.classes.map(({ name, ap }) => [name, ap]),
        expected.perClass.map(({ name, ap }) => [name, ap]),
      );
      const agnostic = await evaluateCoco(groundTruth, results, { useCats: false });
      assert.equal(evaluated.class_agnostic_ap, agnostic.summary.ap);
      assert.equal(evaluated.detection_count, 3);
    });

    it("takes none for an AP of 0", async () => {
      assert.equal((await client.evaluateDetections("cells", [])).stats[0], 0);
    });

    it("refuses what is none, and goes on serving", async () => {
      const first = detections[0] as ImageDetections;
      const refused = (change: Partial<ImageDetections>, reason: string, message: RegExp) =>
        assert.rejects(client.evaluateDetections("cells", [{ ...first, ...change }]), { reason, message });
      await assert.rejects(client.evaluateDetections("none", detections), { reason: "DATASET_NOT_FOUND" });
      await refused({ image_id: 99 }, "ANNOTATIONS_INVALID", /image 99/);
      await refused({ score: [Number.NaN] }, "ANNOTATIONS_INVALID", /score/);
      await refused({ box_xywh: [0, 0, Number.POSITIVE_INFINITY, 1] }, "ANNOTATIONS_INVALID", /Infinity/);
      await refused({ category_id: [7, 7] }, "REQUEST_INVALID", /2 classes and 1 scores/);
      await refused({ box_xywh: [] }, "REQUEST_INVALID", /0 numbers of boxes/);
      assert.equal((await client.evaluateDetections("cells", detections)).detection_count, 3);
    });

    it("passes on the error of the detections themselves", async () => {
      const failing = function* (): Generator<ImageDetections> {
        yield* detections;
        throw new Error("the file ended");
      };
      await assert.rejects(client.evaluateDetections("cells", failing()), /the file ended/);
    });
  });
});
