/** The commands that need neither controller nor worker, through the compiled CLI. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { parse } from "yaml";
import { exampleResult } from "../report/example.js";

const MAIN = fileURLToPath(new URL("../../../ts/cli/main.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe("cassl", function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-cli-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const cassl = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...args], { cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });

  const assertRefused = ({ code, stderr }: Ended, ...parts: readonly RegExp[]): void => {
    for (const part of parts) assert.match(stderr, part);
    assert.doesNotMatch(stderr, /\n +at /, "a stack was shown");
    assert.equal(code, 2, stderr);
  };

  it("suggests the nearest command and the nearest option", async () => {
    assertRefused(await cassl("rnu"), /unknown command 'rnu'/, /run/);
    assertRefused(await cassl("run", "--wrkspace", "x"), /--wrkspace/, /Did you mean --workspace/);
  });

  it("refuses rungs of a sweep that would all be the whole of its iterations", async () => {
    assertRefused(await cassl("sweep", "cassl.yaml", "--grid", "grid.yaml", "--reduction", "1"), /from 2 to 9/);
  });

  it("explains itself", async () => {
    const { code, stdout } = await cassl("run", "--help");
    assert.equal(code, 0);
    assert.match(stdout, /--workspace.*--json/s);
  });

  it("names the nearest key for an unknown one, before anything is started", async () => {
    await writeFile(join(folder, "cassl.yaml"), "name: a\nsolvr: {}\n");
    assertRefused(await cassl("run", "cassl.yaml"), /`solvr`/, /`solver`/);
    assert.deepEqual(await readdir(folder), ["cassl.yaml"]);
  });

  it("names a configuration that is missing, and one that is no YAML", async () => {
    assertRefused(await cassl("run", "gone.yaml"), /gone\.yaml/, /cassl init/);
    await writeFile(join(folder, "bad.yaml"), "name: [a\nseed: 1\n");
    assertRefused(await cassl("run", "bad.yaml"), /bad\.yaml is not YAML/, /line/);
  });

  it("checks an override like the file, and refuses one without a value", async () => {
    await cassl("init");
    assertRefused(await cassl("run", "cassl.yaml", "--set", "seed=seven"), /seed/, /seven/);
    assertRefused(await cassl("run", "cassl.yaml", "--set", "seed"), /key=value/);
  });

  it("tells machines of a failure in one line of JSON", async () => {
    const { code, stdout } = await cassl("run", "gone.yaml", "--json");
    assert.equal(code, 2);
    assert.equal((JSON.parse(stdout) as { error: { reason: string } }).error.reason, "FILE_NOT_FOUND");
  });

  describe("init", () => {
    it("writes a configuration that can be read", async () => {
      assert.equal((await cassl("init", "my.yaml")).code, 0);
      assert.equal((parse(await readFile(join(folder, "my.yaml"), "utf8")) as { name: string }).name, "my-detector");
    });

    it("leaves a file that is there as it is", async () => {
      await writeFile(join(folder, "cassl.yaml"), "mine");
      assertRefused(await cassl("init"), /cassl\.yaml exists/);
      assert.equal(await readFile(join(folder, "cassl.yaml"), "utf8"), "mine");
    });

    it("refuses a folder that is not there", async () => {
      assertRefused(await cassl("init", "gone/cassl.yaml"), /gone/);
    });
  });

  it("leaves no token behind that no controller will know", async () => {
    const { code, stderr } = await cassl("token", "create", "--role", "client", "--tokens", ".", "--out", "token");
    assert.equal(code, 1);
    assert.match(stderr, /cannot be added to \.: EISDIR/);
    assert.deepEqual(await readdir(folder), []);
  });

  describe("report", () => {
    const addRun = async (run: string, finished: Date): Promise<void> => {
      const runFolder = join(folder, ".cassl", "runs", run);
      await mkdir(runFolder, { recursive: true });
      await writeFile(join(runFolder, "result.json"), JSON.stringify({ ...exampleResult, run }));
      await utimes(join(runFolder, "result.json"), finished, finished);
    };

    beforeEach(async () => {
      await addRun("new", new Date(2_000_000));
      await addRun("old", new Date(1_000_000));
      await mkdir(join(folder, ".cassl", "runs", "unfinished"));
    });

    it("finds the latest run and one by its id", async () => {
      const latest = await cassl("report", "latest");
      assert.deepEqual(
        latest.stdout.trim().split("\n"),
        ["report.html", "report.md", "report.json"].map((name) => join(folder, ".cassl", "runs", "new", name)),
      );
      assert.match((await cassl("report", "old", "--json")).stdout, /"run":"old"/);
    });

    it("says that there is no such run, or none that is finished", async () => {
      for (const run of ["gone", "unfinished"]) {
        const { code, stderr } = await cassl("report", run);
        assert.equal(code, 1);
        assert.match(stderr, new RegExp(`\`${run}\`.*cassl runs`, "s"));
      }
      assert.match((await cassl("report", "latest", "--workspace", "elsewhere")).stderr, /no finished run/);
    });

    it("is about the runs that `cassl runs` lists, newest first", async () => {
      const { stdout } = await cassl("runs");
      assert.match(stdout, /^new .*class_agnostic AP 44\.7\nold /m);
      assert.doesNotMatch(stdout, /unfinished/);
    });
  });

  describe("eval", () => {
    const box = { image_id: 1, category_id: 1, bbox: [10, 10, 50, 50] };
    beforeEach(async () => {
      const categories = [
        { id: 1, name: "red" },
        { id: 2, name: "blue" },
      ];
      await writeFile(
        join(folder, "gt.json"),
        JSON.stringify({ images: [{ id: 1 }], categories, annotations: [{ ...box, id: 1, area: 2500 }] }),
      );
      await writeFile(join(folder, "dt.json"), JSON.stringify([{ ...box, category_id: 2, score: 0.9 }]));
    });

    it("prints the twelve numbers times 100, a dash where there is nothing to find", async () => {
      const { stdout } = await cassl("eval", "gt.json", "dt.json");
      assert.match(stdout, /^ +all +small +medium +large\nAP +0\.0 +- +0\.0 +-\nAP50 +0\.0\n/);
      assert.match((await cassl("eval", "gt.json", "dt.json", "--class-agnostic")).stdout, /^AP +100\.0/m);
    });

    it("prints fractions as JSON", async () => {
      const { stdout } = await cassl("eval", "gt.json", "dt.json", "--class-agnostic", "--json");
      const { stats } = JSON.parse(stdout) as { stats: number[] };
      assert.equal(stats.length, 12);
      assert.ok((stats[0] ?? 0) > 0.999);
    });

    it("compares masks where it is asked to", async () => {
      const mask = { ...box, segmentation: [[10, 10, 10, 60, 60, 60, 60, 10]] };
      const images = [{ id: 1, width: 80, height: 70 }];
      const annotations = [{ ...mask, id: 1, area: 2500 }];
      await writeFile(
        join(folder, "gt.json"),
        JSON.stringify({ images, categories: [{ id: 1, name: "red" }], annotations }),
      );
      const half = { ...mask, segmentation: [[10, 10, 10, 60, 60, 60]], score: 0.9 };
      await writeFile(join(folder, "dt.json"), JSON.stringify([half]));
      assert.match((await cassl("eval", "gt.json", "dt.json")).stdout, /^AP +100\.0/m);
      const segm = ["eval", "gt.json", "dt.json", "--iou-type", "segm"];
      assert.match((await cassl(...segm)).stdout, /^AP75 +0\.0/m);
      assert.match((await cassl(...segm, "--diagnose")).stdout, /^AP75 +0\.0.*^classification +0 +0\.0$/ms);
      await writeFile(join(folder, "right.json"), JSON.stringify([{ ...mask, score: 0.9 }]));
      assert.match((await cassl(...segm, "--against", "right.json")).stdout, /^first less second +-\d+\.\d/m);
    });

    it("diagnoses, as text and as JSON", async () => {
      const { stdout } = await cassl("eval", "gt.json", "dt.json", "--diagnose");
      assert.match(stdout, /^AP +0\.0.*^classification +1 +100\.0$.*^red +blue +1 +100 %$/ms);
      const json = await cassl("eval", "gt.json", "dt.json", "--diagnose", "--json");
      const { diagnosis } = JSON.parse(json.stdout) as {
        diagnosis: { class_awareness: { oracle_class: { ap: number } } };
      };
      assert.ok(diagnosis.class_awareness.oracle_class.ap > 0.999);
    });

    it("compares with other detections, and says how", async () => {
      await writeFile(join(folder, "right.json"), JSON.stringify([{ ...box, score: 0.9 }]));
      const args = ["eval", "gt.json", "right.json", "--against", "dt.json", "--resamples", "20", "--seed", "7"];
      const { stdout } = await cassl(...args);
      assert.match(stdout, /^first less second +\+100\.0 +\+100\.0 to \+100\.0$/m);
      assert.match(stdout, /20 samples of the images, seed 7; the first is better in 100 %/);
      const { comparison } = JSON.parse((await cassl(...args, "--json")).stdout) as { comparison: { seed: number } };
      assert.equal(comparison.seed, 7);
      assertRefused(await cassl(...args, "--resamples", "0"), /resamples is 0/);
    });

    it("prints the numbers of LVIS, and asks for what they need", async () => {
      assertRefused(await cassl("eval", "gt.json", "dt.json", "--lvis"), /neg_category_ids/);
      const content = JSON.parse(await readFile(join(folder, "gt.json"), "utf8")) as { images: object[] };
      const images = content.images.map((image) => ({
        ...image,
        neg_category_ids: [],
        not_exhaustive_category_ids: [],
      }));
      await writeFile(join(folder, "lvis.json"), JSON.stringify({ ...content, images }));
      const { stdout } = await cassl("eval", "lvis.json", "dt.json", "--lvis");
      assert.match(stdout, /rare +common +frequent\nAP +0\.0 +- +0\.0 +- +- +- +-\n/);
    });

    it("refuses what is no COCO file, other than three limits, and what it cannot compare", async () => {
      assertRefused(await cassl("eval", "dt.json", "dt.json"), /dt\.json/);
      assertRefused(await cassl("eval", "gt.json", "dt.json", "--iou-type", "keypoints"), /bbox, segm/);
      assertRefused(await cassl("eval", "gt.json", "dt.json", "--max-dets", "100"), /three whole numbers/);
    });
  });

  describe("check", () => {
    const writeSet = async (name: string, id: number): Promise<void> => {
      await mkdir(join(folder, name));
      await sharp({ create: { width: 64, height: 64, channels: 3, background: { r: id, g: 0, b: 0 } } })
        .png()
        .toFile(join(folder, name, "a.png"));
      const annotations = [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 20, 20], area: 400, iscrowd: 0 }];
      const images = [{ id: 1, file_name: "a.png", width: 64, height: 64 }];
      await writeFile(
        join(folder, `${name}.json`),
        JSON.stringify({ images, annotations, categories: [{ id: 1, name: "red" }] }),
      );
    };

    beforeEach(async () => {
      for (const [index, name] of ["train", "val", "unlabeled"].entries()) await writeSet(name, index);
      await writeFile(join(folder, "unlabeled", "copy.png"), await readFile(join(folder, "train", "a.png")));
      const set = (name: string): string => `{ annotations: ${name}.json, images: ${name} }`;
      await writeFile(
        join(folder, "cassl.yaml"),
        `name: a\ndata: { labeled: ${set("train")}, unlabeled: { images: [unlabeled] }, validation: ${set("val")} }\n`,
      );
    });

    it("counts the images of each set and says why others are not used, without leaving a trace", async () => {
      const before = await readdir(folder);
      const { code, stdout, stderr } = await cassl("check", "cassl.yaml", "--json");
      assert.equal(code, 0, stderr);
      const { labeled, unlabeled, validation, dropped, dropped_for } = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual([labeled, unlabeled, validation, dropped], [1, 1, 1, 1]);
      assert.equal(Object.values(dropped_for as object).length, 1);
      assert.match((await cassl("check", "cassl.yaml")).stdout, /1 images are not used.*in order/s);
      assert.deepEqual(await readdir(folder), before);
    });

    it("refuses what a run would refuse", async () => {
      await rm(join(folder, "unlabeled", "a.png"));
      assertRefused(await cassl("check", "cassl.yaml"), /unlabeled/, /supervised/);
      await rm(join(folder, "train", "a.png"));
      assertRefused(await cassl("check", "cassl.yaml"), /a\.png/);
    });
  });

  describe("on data sets", () => {
    const writeSet = async (bbox: readonly number[]): Promise<void> => {
      const images = Array.from({ length: 10 }, (_, index) => ({
        id: index,
        file_name: `${index}.png`,
        width: 64,
        height: 48,
      }));
      const annotations = images.map(({ id }) => ({
        id,
        image_id: id,
        category_id: 1,
        bbox: id === 0 ? bbox : [1, 1, 20, 20],
      }));
      const set = { images, annotations, categories: [{ id: 1, name: "red" }] };
      await writeFile(join(folder, "set.json"), JSON.stringify(set));
    };

    it("converts, and tells what it wrote", async () => {
      await writeSet([1, 1, 20, 20]);
      const { code, stdout, stderr } = await cassl("convert", "set.json", "yolo", "--to", "yolo", "--map", "red=blue");
      assert.equal(code, 0, stderr);
      assert.match(
        stdout,
        /^Wrote .*yolo from coco to yolo: 10 images, 10 objects, 1 classes, without image files\.\n$/,
      );
      assert.match(stderr, /^warning: only annotations are written/);
      assert.match(await readFile(join(folder, "yolo", "data.yaml"), "utf8"), /0: blue/);
      const json = await cassl(
        "convert",
        "set.json",
        "voc",
        "--to",
        "voc",
        "--classes",
        "red",
        "--image-files",
        "none",
        "--json",
      );
      assert.deepEqual(JSON.parse(json.stdout), {
        out: join(folder, "voc"),
        to: "voc",
        from: "coco",
        images: 10,
        objects: 10,
        classes: 1,
        boxes: { rounded: 0, clipped: 0, dropped: 0 },
        has_images: false,
        warnings: [],
      });
    });

    it("refuses to convert with a wrong option, a class that is not there, or into a folder that is not empty", async () => {
      await writeSet([1, 1, 20, 20]);
      assertRefused(await cassl("convert", "set.json", "out"), /--to/);
      assertRefused(await cassl("convert", "set.json", "out", "--to", "xml"), /coco, yolo, voc/);
      assertRefused(await cassl("convert", "set.json", "out", "--to", "voc", "--map", "red"), /old=new/);
      assertRefused(await cassl("convert", "set.json", "out", "--to", "voc", "--classes", "green"), /green.*red/);
      assertRefused(await cassl("convert", "set.json", ".", "--to", "voc"), /not empty/);
      assertRefused(await cassl("convert", "gone", "out", "--to", "voc"), /gone/);
      assert.deepEqual(await readdir(folder), ["set.json"]);
    });

    it("checks with exit code 0 if all is well", async () => {
      await writeSet([1, 1, 20, 20]);
      const { code, stdout } = await cassl("check", "set.json", "--strict", "--html", "check.html");
      assert.equal(code, 0);
      assert.match(
        stdout,
        /\(coco\)\n10 images, 10 objects; images not looked at\n\n.*\nred +1 +10 +10 +0 +20\n\n0 errors, 0 warnings\.\n$/,
      );
      assert.match(await readFile(join(folder, "check.html"), "utf8"), /<!DOCTYPE html>/);
    });

    it("checks with exit code 2 for errors, and 1 for warnings if they are to count", async () => {
      await writeSet([60, 1, 20, 20]);
      const wrong = await cassl("check", "set.json");
      assert.equal(wrong.code, 2);
      assert.match(wrong.stdout, /error: 1 boxes that reach more than a pixel out.*\n {2}annotation 0: red/);
      await writeSet([1, 1, 20, 0.5]);
      assert.equal((await cassl("check", "set.json")).code, 0);
      const strict = await cassl("check", "set.json", "--strict", "--json");
      assert.equal(strict.code, 1);
      const { errors, warnings, images, findings } = JSON.parse(strict.stdout) as Record<string, unknown>;
      assert.deepEqual([errors, warnings, images], [0, 1, 10]);
      assert.equal((findings as { kind: string }[])[0]?.kind, "tiny_box");
    });

    it("tells a data.yaml from a configuration", async () => {
      await writeFile(join(folder, "data.yaml"), "train: gone\nnames: [red]\n");
      assertRefused(await cassl("check", "data.yaml"), /gone/);
      await writeFile(join(folder, "cassl.yaml"), "name: a\n");
      assertRefused(await cassl("check", "cassl.yaml"), /`data` is missing/);
      assertRefused(await cassl("check", "data.yaml", "--set", "seed=1"), /--set/);
    });
  });

  describe("doctor", () => {
    it("names what is wrong with the worker's Python", async () => {
      const { code, stdout } = await cassl("doctor", "--python", "/no-such-python", "--json");
      assert.equal(code, 1);
      const findings = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { check: string; ok: boolean; detail: string });
      assert.ok(findings.find(({ check }) => check === "native packages")?.ok);
      assert.match(findings.find(({ check }) => check === "python")?.detail ?? "", /no-such-python/);
    });
  });
});
