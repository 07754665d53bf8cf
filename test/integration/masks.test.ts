/** A segmenter through the whole protocol with a real Python worker, and what its exported file is used for. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openArtifactStore } from "../../ts/controller/artifacts.js";
import { readPseudoLabels } from "../../ts/labels/pseudo-labels.js";
import { fromCompressed } from "../../ts/masks/index.js";
import type { ArmResult } from "../../ts/pipeline/pipeline.js";
import { cassl, makeProject, type Project, resultOf } from "./project.js";

const SIDE_PX = 64;

describe("a segmenter with a real worker", function () {
  this.timeout(300_000);
  let project: Project;
  let arm: ArmResult;

  before(async () => {
    project = await makeProject();
    project.config.arms = ["class_agnostic"];
    Object.assign(project.config["detector"] as object, { family: "light_segmenter" });
    const { pseudo_label } = project.config.stages;
    pseudo_label["select"] = { ...(pseudo_label["select"] as object), nms_of: "masks" };
    await project.writeConfig();
  });
  after(() => project.remove());

  const artifactPath = async (sha256: string): Promise<string> =>
    (await openArtifactStore(join(project.workspace, "artifacts"))).path(sha256);

  it("reports AP of masks beside that of boxes", async () => {
    const { finished } = cassl(["run", project.configFile]);
    const { stdout } = await finished;
    assert.match(stdout, /mask AP +mask AP50/);
    [arm] = (await resultOf(await finished)).arms as [ArmResult];
    for (const ap of [arm.segm_ap, arm.segm_ap50, arm.segm_ap75, arm.class_agnostic_segm_ap]) {
      assert.ok(ap !== undefined && ap >= 0 && ap <= 1);
    }
  });

  it("selects pseudo labels with masks of their images", async () => {
    const labels = arm.rounds[0]?.pseudo_labels.sha256 as string;
    const { images } = await readPseudoLabels(await artifactPath(labels));
    let masks = 0;
    for await (const image of images) {
      for (const counts of image.masks ?? []) {
        const size = [SIDE_PX, SIDE_PX] as const;
        assert.equal(fromCompressed({ size, counts: counts as string }).width, SIDE_PX);
        masks++;
      }
    }
    assert.equal(masks, arm.rounds[0]?.selection.pseudo_labels);
  });

  it("exports a file whose masks are torch's, and which finds masks without Python", async () => {
    const model = await artifactPath(arm.onnx.sha256);
    const { code, stdout } = await cassl(["certify", model]).finished;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /share of pixels of masks/);
    const out = join(project.folder, "found.json");
    const predicted = await cassl(["predict", model, join(project.folder, "val"), "--out", out]).finished;
    assert.equal(predicted.code, 0, predicted.stderr);
    const { annotations } = JSON.parse(await readFile(out, "utf8"));
    for (const { segmentation } of annotations) assert.deepEqual(segmentation.size, [SIDE_PX, SIDE_PX]);
  });

  it("stops before anything is computed where an object has no mask", async () => {
    const file = join(project.folder, "train.json");
    const coco = JSON.parse(await readFile(file, "utf8"));
    delete coco.annotations[2].segmentation;
    await writeFile(file, JSON.stringify(coco));
    const { code, stdout, stderr } = await cassl(["run", project.configFile]).finished;
    assert.equal(code, 2);
    assert.match(stderr, /3\.jpg: the object .* has no segmentation/);
    assert.match(stderr, /detector family without masks/);
    assert.doesNotMatch(stdout, /hold_out/);
  });
});
