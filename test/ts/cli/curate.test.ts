/** `cassl curate` and `cassl split` through the compiled CLI. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { cocoDocument, noise, scene, temporaryFolder, writeImage, writeJson } from "../data/fixtures.js";

const MAIN = fileURLToPath(new URL("../../../ts/cli/main.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Printed {
  readonly fates: readonly { readonly images: number }[];
  readonly ledger: string;
  readonly leaks: string;
}

describe("on data", function () {
  this.timeout(30_000);
  const at = temporaryFolder();

  const cassl = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...args], { cwd: at() }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });

  beforeEach(async () => {
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) await writeImage(at(`train/${id}.jpg`), id);
    for (const id of [1, 2]) await writeImage(at(`val/${id}.jpg`), 10 + id);
    await writeJson(at("train.json"), cocoDocument([1, 2, 3, 4, 5, 6, 7, 8]));
    const val = cocoDocument([1, 2, 3]);
    Object.assign(val.images[2] ?? {}, { width: 320, height: 240 });
    await writeJson(at("val.json"), val);
    await scene(1).jpeg().toFile(at("val/3.jpg"));
    await writeImage(at("more/1.png"), 20);
    await scene(1).jpeg({ quality: 50 }).toFile(at("more/copy.jpg"));
    await writeFile(at("more/text.jpg"), "not an image");
    const data = {
      labeled: { annotations: "train.json", images: "train" },
      unlabeled: { images: ["more"] },
      validation: { annotations: "val.json", images: "val" },
      bad_images: "drop",
    };
    await writeFile(at("cassl.yaml"), stringify({ name: "a", data }));
  });

  describe("cassl curate", () => {
    it("prints what became of the images, where the columns add up, and the path of the ledger", async () => {
      const { code, stdout, stderr } = await cassl("curate", "cassl.yaml");
      assert.equal(code, 0, stderr);
      const rows = stdout
        .split("\n")
        .slice(1, 5)
        .map((line) => line.split(/ {2,}/));
      assert.deepEqual(rows, [
        ["used", "8", "1", "3", "12"],
        ["dropped: cannot be decoded", "0", "1", "0", "1"],
        ["dropped: near-duplicate of a validation image", "0", "1", "0", "1"],
        ["all", "8", "3", "3", "14"],
      ]);
      const ledger = await readFile(stdout.trimEnd().split("\n").at(-1) ?? "", "utf8");
      assert.equal(ledger.trimEnd().split("\n").length, 14);
    });

    it("does the work once: a second time it is reused", async () => {
      const first = await cassl("curate", "cassl.yaml", "--json");
      const second = await cassl("curate", "cassl.yaml", "--json");
      assert.equal(second.stdout, first.stdout);
      assert.match(second.stderr, /curate +reused/);
      const { fates, ledger, leaks } = JSON.parse(first.stdout) as Printed;
      assert.equal(
        fates.reduce((sum, { images }) => sum + images, 0),
        14,
      );
      assert.equal((await readFile(ledger, "utf8")).split("\n").length, 15);
      assert.match(await readFile(leaks, "utf8"), /"validation":"val\/3\.jpg"/);
    });

    it("refuses leaks into the labeled set, unless told to drop them", async () => {
      await noise(11).jpeg().toFile(at("train/1.jpg"));
      const refused = await cassl("curate", "cassl.yaml");
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /train\/1\.jpg (shows|has) the same .*val\/1\.jpg/);
      assert.match(refused.stderr, /leak_firewall\.labeled: drop/);
      const dropped = await cassl("curate", "cassl.yaml", "--set", "data.leak_firewall.labeled=drop");
      assert.match(dropped.stdout, /^used +7 /m);
    });
  });

  describe("cassl split", () => {
    it("writes a file for each size and fold, the same ones again", async () => {
      const args = ["split", "train.json", "--percent", "25,50", "--folds", "2", "--seed", "3", "--out", "splits"];
      const { code, stdout, stderr } = await cassl(...args);
      assert.equal(code, 0, stderr);
      const names = ["25", "50"].flatMap((percent) =>
        [0, 1].map((fold) => `${percent}-percent-fold-${fold}-seed-3.json`),
      );
      assert.deepEqual(await readdir(at("splits")), names);
      assert.equal(stdout.match(/25-percent.* 2 +-$/gm)?.length, 2);
      assert.equal((await cassl(...args)).stdout, stdout);
      await writeFile(at("splits", names[0] ?? ""), "{}");
      const refused = await cassl(...args);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /25-percent-fold-0-seed-3\.json is another split/);
    });

    it("makes splits that a configuration can name", async () => {
      await cassl("split", "train.json", "--percent", "50", "--folds", "1", "--out", "splits");
      const split = "data.labeled.split_file=splits/50-percent-fold-0-seed-0.json";
      const { stdout, stderr } = await cassl("curate", "cassl.yaml", "--set", split);
      assert.match(stdout, /^used +4 /m, stderr);
      assert.match(stdout, /^dropped: left out of the labeled set +4 /m);
    });

    it("keeps images of a series together, and groups that a file names", async () => {
      for (const id of [1, 2, 3, 4])
        await scene(9)
          .jpeg({ quality: 20 * id })
          .toFile(at(`train/${id}.jpg`));
      for (const groups of [
        ["--by-series", "--images", "train"],
        ["--groups", "groups.json"],
      ]) {
        await writeJson(at("groups.json"), { "1.jpg": "x", "2.jpg": "x", "3.jpg": "x", "4.jpg": "x" });
        const args = [
          "split",
          "train.json",
          "--percent",
          "50",
          "--folds",
          "6",
          "--json",
          "--out",
          `by-${groups.length}`,
        ];
        const { stdout, stderr } = await cassl(...args, ...groups);
        const files = stdout
          .trimEnd()
          .split("\n")
          .map((line) => (JSON.parse(line) as { split: string }).split);
        assert.equal(files.length, 6, stderr);
        for (const file of files) {
          const { image_ids } = JSON.parse(await readFile(file, "utf8")) as { image_ids: number[] };
          assert.ok([0, 4].includes(image_ids.filter((id) => id <= 4).length), file);
        }
      }
    });

    it("draws for some classes alone, and says which there are", async () => {
      const args = ["split", "train.json", "--percent", "100", "--folds", "1", "--out", "splits"];
      const { stdout } = await cassl(...args, "--classes", "dog", "--json");
      const { split } = JSON.parse(stdout) as { split: string };
      const { classes, image_ids } = JSON.parse(await readFile(split, "utf8")) as Record<string, unknown>;
      assert.deepEqual([classes, image_ids], [["dog"], [2, 4, 6, 8]]);
      const refused = await cassl(...args, "--classes", "cow");
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /no class cow.*cat, dog/s);
    });

    it("refuses what is no list of shares, no count, and files that are not there", async () => {
      const refusals: [string[], RegExp][] = [
        [["--percent", "0,10"], /above 0/],
        [["--folds", "0"], /from 1 to/],
        [["--seed", "-1"], /whole number/],
        [["--groups", "gone.json"], /gone\.json/],
        [["--groups", "train.json", "--by-series"], /cannot be used with/],
        [["--by-series"], /--images where they are/],
      ];
      for (const [args, message] of refusals) {
        const { code, stderr } = await cassl("split", "train.json", "--out", "splits", ...args);
        assert.equal(code, 2, args.join(" "));
        assert.match(stderr, message);
      }
    });
  });
});
