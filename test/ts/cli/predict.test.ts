/** `cassl predict` and `cassl certify`, through the compiled CLI. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot } from "../../../ts/core/package.js";
import { BLUE, RED, writeCells } from "../evaluation/cells.js";

const MAIN = fileURLToPath(new URL("../../../ts/cli/main.js", import.meta.url));
const MODEL = join(packageRoot, "test/golden/detections-model.onnx");

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Written {
  readonly images: readonly { readonly id: number; readonly file_name: string; readonly width: number }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: number[];
    readonly area: number;
    readonly segmentation?: { readonly size: number[] };
  }[];
}

describe("cassl predict", function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-predict-"));
    await mkdir(join(folder, "images/more"), { recursive: true });
    await writeCells(join(folder, "images"), "a.png", [{ cell: 0, color: RED }]);
    await writeCells(join(folder, "images/more"), "a.png", [{ cell: 6, color: BLUE }], 2);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const cassl = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...args], { cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  const written = async (): Promise<Written> =>
    JSON.parse(await readFile(join(folder, "dets.json"), "utf8")) as Written;

  it("writes the detections of all images in a folder as COCO JSON, and draws them", async () => {
    const { code, stdout, stderr } = await cassl("predict", MODEL, "images", "--out", "dets.json", "--draw", "drawn");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /2 detections in 2 images/);
    const { images, annotations } = await written();
    assert.deepEqual(
      images.map(({ id, file_name, width }) => [id, file_name.slice(-10), width]),
      [
        [1, "ages/a.png", 64],
        [2, "more/a.png", 128],
      ],
    );
    assert.deepEqual(
      annotations.map(({ image_id, category_id, bbox }) => [image_id, category_id, ...bbox]),
      [
        [1, 7, 0, 0, 16, 16],
        [2, 3, 64, 32, 32, 32],
      ],
    );
    assert.deepEqual((await readdir(join(folder, "drawn"))).sort(), ["a-2.jpg", "a.jpg"]);
  });

  it("draws each image into a file of its own, also where a name looks like the number of another", async () => {
    await writeCells(join(folder, "images"), "a-2.png", [{ cell: 0, color: RED }]);
    const { code, stderr } = await cassl("predict", MODEL, "images", "--out", "dets.json", "--draw", "drawn");
    assert.equal(code, 0, stderr);
    assert.equal((await readdir(join(folder, "drawn"))).length, 3);
  });

  it("writes and draws the masks of a model that gives them", async () => {
    const model = join(packageRoot, "test/golden/regions-model.onnx");
    const { code, stderr } = await cassl("predict", model, "images", "--out", "dets.json", "--draw", "drawn");
    assert.equal(code, 0, stderr);
    const { annotations } = await written();
    assert.deepEqual(
      annotations.map(({ segmentation, area }) => [...(segmentation?.size ?? []), area]),
      [
        [48, 64, 256],
        [96, 128, 1024],
      ],
    );
    assert.equal((await readdir(join(folder, "drawn"))).length, 2);
  });

  it("takes scores, classes and input size from the command line", async () => {
    const flags = ["--classes", "warm,cold", "--input", "64x48", "--score", "0.2", "--max-detections", "1"];
    const { code, stdout, stderr } = await cassl(
      "predict",
      MODEL,
      "images/a.png",
      "--out",
      "dets.json",
      ...flags,
      "--json",
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual((JSON.parse(stdout) as { detections: number }).detections, 1);
    assert.equal((await written()).annotations[0]?.category_id, 1);
  });

  const refused: [what: string, args: string[], message: RegExp][] = [
    ["a path that leads nowhere", [MODEL, "gone"], /There is no .*gone/],
    ["a folder without images", [MODEL, "empty"], /no image in empty/],
    ["an image that is none", [MODEL, "broken.png"], /broken\.png cannot be decoded/],
    ["an image of too many pixels", [MODEL, "images", "--max-pixels", "100"], /a\.png cannot be decoded.*pixel limit/s],
    ["a model that is cut off", ["cut.onnx", "images"], /cut\.onnx/],
    ["a model without metadata and no flags", ["plain.onnx", "images"], /no metadata property `cassl`/],
    ["half of what describes a model", [MODEL, "images", "--classes", "a,b"], /--input is missing/],
    ["classes that do not fit the model", [MODEL, "images", "--classes", "a", "--input", "64x48"], /instead of/],
    ["a score that is none", [MODEL, "images", "--score", "high"], /from 0 to 1/],
  ];
  for (const [what, args, message] of refused) {
    it(`refuses ${what} and writes nothing`, async () => {
      const model = await readFile(MODEL);
      await writeFile(join(folder, "cut.onnx"), model.subarray(0, 900));
      await writeFile(
        join(folder, "plain.onnx"),
        Buffer.from(model.toString("latin1").replaceAll("cassl", "other"), "latin1"),
      );
      await writeFile(join(folder, "broken.png"), "no image");
      await mkdir(join(folder, "empty"));
      const { code, stderr } = await cassl("predict", ...args, "--out", "dets.json");
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /, "a stack was shown");
      assert.notEqual(code, 0);
      assert.ok(!(await readdir(folder)).includes("dets.json"));
    });
  }

  it("certifies the model before, with a table and a file", async () => {
    const { code, stdout, stderr } = await cassl("certify", MODEL, "--out", "certificate.json");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /batch of 1 +batch of 2 +limit/);
    assert.match(stdout, /gives what torch gave, on 2 images with 2 detections/);
    const certificate = JSON.parse(await readFile(join(folder, "certificate.json"), "utf8")) as { passed: boolean };
    assert.equal(certificate.passed, true);
  });

  it("certifies no model that gives something else", async () => {
    const bytes = (await readFile(MODEL)).toString("latin1").replace('"pad_value": 127', '"pad_value": 255');
    await writeFile(join(folder, "other.onnx"), Buffer.from(bytes, "latin1"));
    const { code, stdout } = await cassl("certify", "other.onnx");
    assert.equal(code, 1);
    assert.match(stdout, /does NOT give what torch gave/);
  });
});
