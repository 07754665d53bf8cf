/** `cassl select` and `cassl labels` through the compiled CLI, on a run whose worker is in TypeScript. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CasslClient } from "../../../ts/client/client.js";
import { startController } from "../../../ts/controller/controller.js";
import { readAnnotations } from "../../../ts/data/formats/read-annotations.js";
import { readPseudoLabels } from "../../../ts/labels/pseudo-labels.js";
import { makeCellsProject, workOn } from "../controller/cells-project.js";
import { makeFolder } from "../controller/workbench.js";

const MAIN = fileURLToPath(new URL("../../../ts/cli/main.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe("the pseudo labels of a run", function () {
  this.timeout(120_000);
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);

  const cassl = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...args], { cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  const printed = async (...args: string[]) => {
    const { code, stdout, stderr } = await cassl(...args, "--json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const refuses = async (message: RegExp, ...args: string[]) => {
    const { code, stderr } = await cassl(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, message);
  };
  const readJson = async (path: string) => JSON.parse(await readFile(path, "utf8"));

  before(async () => {
    folder = await makeFolder();
    const config = await makeCellsProject(folder);
    const options = { workspace: at(".cassl"), host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" } as const;
    const controller = await startController(options);
    const client = new CasslClient(controller.address);
    try {
      void workOn(controller.address);
      await client.createRun("a", config);
      for await (const _ of client.watchRun("a"));
    } finally {
      client.close();
      await controller.stop();
    }
  });
  after(() => rm(folder, { recursive: true }));

  describe("cassl select", () => {
    it("shows what other thresholds would give, and writes nothing", async () => {
      const before = await readdir(at(".cassl"), { recursive: true });
      const { code, stdout, stderr } = await cassl("select", "latest", "--threshold", "0.5,0.95");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^a, class_agnostic: 3 predictions on 3 images/);
      assert.match(stdout, /0\.5 +3 +1\.00 +0 \(0 %\)/);
      assert.match(stdout, /0\.95 +0 +0\.00 +3 \(100 %\)/);
      assert.deepEqual(await readdir(at(".cassl"), { recursive: true }), before);
    });

    it("starts from the policy of the run, and shows histograms of a single threshold", async () => {
      const { stdout } = await cassl("select", "a");
      assert.match(stdout, /Dropped: 0 by score/);
      assert.match(stdout, /labels +images\n0 +0\n1 +3 +#{40}/);
      assert.match(stdout, /0\.85 +3 +3 +#{40}/);
    });

    it("gives the same as JSON, one object a threshold", async () => {
      const { stats, policy, labels_per_image, empty_share } = await printed(
        "select",
        "a",
        "--threshold",
        "0.5",
        "--max-per-image",
        "7",
      );
      assert.deepEqual([stats.pseudo_labels, stats.images_by_labels, labels_per_image, empty_share], [3, [0, 3], 1, 0]);
      assert.deepEqual([policy.score_threshold, policy.max_per_image], [0.5, 7]);
    });

    it("writes the pseudo labels where --out says", async () => {
      await printed("select", "a", "--threshold", "0.5", "--out", "new.parquet");
      const { images, imageCount } = await readPseudoLabels(at("new.parquet"));
      assert.equal(imageCount, 3);
      assert.equal((await images.next()).value?.imageIndex, 0);
      await refuses(/one threshold/, "select", "a", "--threshold", "0.5,0.6", "--out", "other.parquet");
    });

    it("says what is wrong with its input", async () => {
      await refuses(/no run `none`/, "select", "none");
      await refuses(/no workspace .*nowhere/, "select", "a", "--workspace", "nowhere");
      await refuses(/no predictions of supervised, but of class_agnostic/, "select", "a", "--arm", "supervised");
      await refuses(/number from 0 to 1/, "select", "a", "--threshold", "1.5");
      assert.ok(!(await readdir(folder)).includes("nowhere"));
    });
  });

  describe("cassl labels", () => {
    it("export COCO that other tools read, with scores and the classes to choose from", async () => {
      const summary = await printed("labels", "export", "a", "coco", "--to", "coco");
      assert.deepEqual([summary.images, summary.boxes], [3, 3]);
      const { images, annotations, categories } = await readJson(at("coco/annotations.json"));
      assert.deepEqual(
        annotations.map(({ image_id, score }: Record<string, number>) => [image_id, Math.fround(score as number)]),
        [1, 2, 3].map((id) => [id, Math.fround(0.9)]),
      );
      assert.deepEqual(
        categories.map(({ name }: { name: string }) => name),
        ["blue", "red", "object"],
      );
      const set = await readAnnotations(
        { annotations: at("coco/annotations.json"), images: summary.image_root },
        "error",
      );
      assert.equal(set.images.length, images.length);
      await refuses(/is not empty/, "labels", "export", "a", "coco", "--to", "coco");
    });

    it("export YOLO, where the score ends a line", async () => {
      await printed("labels", "export", "a", "yolo", "--to", "yolo");
      const files = (await readdir(at("yolo"), { recursive: true })).filter((file) => file.endsWith(".txt"));
      assert.equal(files.length, 3);
      const [line] = (await readFile(at("yolo", files[0] as string), "utf8")).split("\n");
      const fields = (line ?? "").split(" ").map(Number);
      assert.deepEqual([fields.length, fields[0], Math.fround(fields[5] as number)], [6, 2, Math.fround(0.9)]);
    });

    before(() => printed("labels", "export", "a", "studio", "--to", "label-studio"));

    /** What Label Studio would export of the tasks after a review. */
    async function reviewed(name: string, label: string, change: object = {}): Promise<string> {
      const [first, second, third] = await readJson(at("studio", "tasks.json"));
      const [region] = first.predictions[0].result;
      const value = { ...region.value, rectanglelabels: [label], ...change };
      const tasks = [
        {
          id: 1,
          ...first,
          annotations: [
            { id: 1, result: [] },
            { id: 2, result: [{ ...region, value }] },
          ],
        },
        { id: 2, ...second, annotations: [{ id: 3, was_cancelled: true, result: [] }] },
        { id: 3, data: { image: third.data.image }, annotations: [{ id: 4, result: [] }] },
      ];
      const path = at(`${name}.json`);
      await writeFile(path, JSON.stringify(tasks));
      return path;
    }

    it("come back from Label Studio as ground truth beside the labeled images, with corrected boxes and classes", async () => {
      const file = await reviewed("corrected", "red", { width: 50 });
      const summary = await printed("labels", "import", "a", file, "merged");
      assert.deepEqual([summary.labeled, summary.reviewed, summary.boxes], [2, 2, 1]);
      const set = await readAnnotations({ annotations: summary.annotations, images: summary.images }, "error");
      assert.equal(set.images.length, 4);
      const [corrected, empty] = set.images.slice(2);
      assert.deepEqual(
        corrected?.annotations.map(({ class_index, box_xywh, score }) => [
          set.categories[class_index]?.name,
          box_xywh[2],
          score,
        ]),
        [["red", 32, undefined]],
      );
      assert.deepEqual(empty?.annotations, []);
    });

    it("come back from COCO, where all images that are listed count as reviewed", async () => {
      await printed("labels", "export", "a", "for-coco", "--to", "coco");
      const document = await readJson(at("for-coco/annotations.json"));
      document.images.pop();
      document.annotations.pop();
      for (const annotation of document.annotations) annotation.category_id = 3;
      await writeFile(at("reviewed.json"), JSON.stringify(document));
      const summary = await printed("labels", "import", "a", "reviewed.json", "merged-coco");
      assert.deepEqual([summary.labeled, summary.reviewed, summary.boxes], [2, 2, 2]);
      const { annotations } = await readJson(summary.annotations);
      assert.ok(annotations.every((annotation: object) => !("score" in annotation)));
    });

    it("are refused where a review cannot be used, by image and reason", async () => {
      const refused = async (message: RegExp, name: string, label: string, change: object = {}) =>
        refuses(message, "labels", "import", "a", await reviewed(name, label, change), `${name}-out`);
      await refused(/0\.png: a box has the label object, not one of blue, red/, "unclassed", "object");
      await refused(/0\.png: a box is rotated by 10 degrees/, "rotated", "red", { rotation: 10 });
      await refused(/px out of the image/, "outside", "red", { width: 150 });
      await refused(/not a rectangle/, "brush", "red", { width: undefined });
      await writeFile(at("minimal.json"), JSON.stringify([{ image: "0.png", label: [] }]));
      await refuses(/no JSON export of Label Studio/, "labels", "import", "a", "minimal.json", "x");
      await writeFile(
        at("foreign.json"),
        JSON.stringify([{ data: { image: "9.png" }, annotations: [{ result: [] }] }]),
      );
      await refuses(/image 9\.png, which was not predicted/, "labels", "import", "a", "foreign.json", "x");
      await writeFile(
        at("coco.json"),
        JSON.stringify({
          images: [{ id: 1, file_name: "9.png", width: 1, height: 1 }],
          annotations: [],
          categories: [],
        }),
      );
      await refuses(/9\.png was not predicted/, "labels", "import", "a", "coco.json", "x");
      await refuses(/none\.json cannot be read: ENOENT/, "labels", "import", "a", "none.json", "x");
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name === "x" || name.endsWith("-out")),
        [],
      );
    });
  });
});
