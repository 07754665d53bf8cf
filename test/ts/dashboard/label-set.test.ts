import assert from "node:assert/strict";
import { createDataRoots } from "../../../ts/controller/access/data-roots.js";
import { createLabelSets } from "../../../ts/dashboard/label-set.js";
import { BOX_NUMBERS } from "../../../ts/dashboard/wire/labels.js";
import { encodeManifest } from "../../../ts/data/manifest.js";
import type { RunConfig } from "../../../ts/gen/cassl/v1/run.js";
import { encodeCounts, fromPolygon } from "../../../ts/masks/index.js";
import { openWorkbench, type Workbench } from "../controller/workbench.js";
import { storePredictions } from "../labels/fixtures.js";
import { exampleConfig } from "../report/example.js";
import { storeRun } from "./stored-run.js";

const SIDE = 40;

describe("label set", () => {
  let bench: Workbench;

  before(async () => {
    bench = await openWorkbench();
  });
  after(() => bench.close());

  /** Two triangles of one box: objects of their own by their masks, one object by their boxes. */
  async function store(runId: string, nms_of: "boxes" | "masks"): Promise<void> {
    const { artifacts, state } = bench;
    const upper = fromPolygon([0, 0, 20, 0, 20, 20], SIDE, SIDE);
    const lower = fromPolygon([0, 0, 0, 20, 20, 20], SIDE, SIDE);
    const predictions = [upper, lower].map(({ counts }, index) => {
      return { box: [0, 0, 20, 20] as const, score: 0.9 - index / 10, classIndex: 0, mask: encodeCounts(counts) };
    });
    const image = { id: 1, file_name: "a.png", sha256: "a", width_px: SIDE, height_px: SIDE, annotations: [] };
    const unlabeled = await artifacts.put(encodeManifest({ categories: [], images: [image] }));
    const labeled = await artifacts.put(encodeManifest({ categories: [{ id: 1, name: "cell" }], images: [] }));
    const config: RunConfig = structuredClone(exampleConfig);
    const { select } = config.stages!.pseudo_label!;
    config.stages!.pseudo_label!.select = { ...select!, nms_iou: 0.3, nms_of };
    storeRun(state, runId, config, {
      curate: { labeled, unlabeled, validation: labeled, image_root: "/" },
      "class_agnostic/predict": await storePredictions([[{ index: 0, predictions }]], artifacts, 1),
    });
  }

  for (const [rule, boxes] of [
    ["boxes", 1],
    ["masks", 2],
  ] as const) {
    it(`holds what the run would select, where ${rule} suppress each other`, async () => {
      await store(rule, rule);
      const sets = createLabelSets({ ...bench, roots: createDataRoots(undefined) });
      const { files } = await sets.describe(rule, "", "unlabeled");
      assert.deepEqual(
        files.map((file) => file.boxes),
        [boxes],
      );
      assert.equal((await sets.boxes(rule, "", "unlabeled")).length, boxes * BOX_NUMBERS);
    });
  }
});
