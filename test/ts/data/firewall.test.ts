import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { packageRoot } from "../../../ts/core/package.js";
import { gatherEvidence } from "../../../ts/data/evidence.js";
import { dropUnsound } from "../../../ts/data/fates.js";
import { findLeaks, type Leak } from "../../../ts/data/firewall.js";
import { inspectAll } from "../../../ts/data/inspect-all.js";
import type { Candidate } from "../../../ts/data/sources.js";
import { localImages } from "../../../ts/images/image-store.js";
import { scene, temporaryFolder } from "./fixtures.js";

const { signal } = new AbortController();
const MAX_DISTANCE = 0.04;

/** Paths are split/name. */
async function leaksAmong(root: string, names: readonly string[], maxDistance = MAX_DISTANCE): Promise<Leak[]> {
  const candidates = names.map((file_name): Candidate => {
    return { split: file_name.split("/")[0] as Candidate["split"], path: join(root, file_name), file_name };
  });
  const { images, pictures } = await inspectAll(candidates, { maxPixels: 1e8, signal, onProgress: () => {} });
  return findLeaks(dropUnsound(images, "error").kept, pictures, maxDistance, signal);
}

const names = (leaks: readonly Leak[]): string[] =>
  leaks.map(({ suspect, original, kind }) => `${suspect.candidate.file_name} ${original.candidate.file_name} ${kind}`);

describe("the leak firewall", () => {
  const at = temporaryFolder();
  beforeEach(async () => {
    for (const split of ["labeled", "unlabeled", "validation"]) await mkdir(at(split));
    for (const seed of [1, 2, 3])
      await scene(seed)
        .png()
        .toFile(at(`validation/${seed}.png`));
    for (const seed of [4, 5])
      await scene(seed)
        .png()
        .toFile(at(`unlabeled/${seed}.png`));
    await scene(6).png().toFile(at("labeled/6.png"));
  });
  const files = ["validation/1.png", "validation/2.png", "validation/3.png", "unlabeled/4.png", "unlabeled/5.png"];
  const found = async (...more: string[]): Promise<Leak[]> => leaksAmong(at(), [...files, "labeled/6.png", ...more]);

  it("lets pass what shows something else", async () => assert.deepEqual(await found(), []));

  const copies: [string, (picture: Sharp) => Sharp][] = [
    ["JPEG at quality 50", (picture) => picture.jpeg({ quality: 50 })],
    ["half the size", (picture) => picture.resize(160).jpeg()],
    ["twice the size", (picture) => picture.resize(640).jpeg()],
    ["a flip", (picture) => picture.flop().jpeg()],
    ["cut off borders", (picture) => picture.extract({ left: 20, top: 12, width: 276, height: 216 }).jpeg()],
  ];
  for (const [what, alter] of copies) {
    it(`finds a copy altered by ${what}, whichever of the two was altered`, async () => {
      await alter(scene(2)).toFile(at("unlabeled/copy.jpg"));
      assert.deepEqual(names(await found("unlabeled/copy.jpg")), ["unlabeled/copy.jpg validation/2.png near"]);
      await alter(scene(6)).toFile(at("validation/copy.jpg"));
      assert.deepEqual(names(await found("validation/copy.jpg")), ["labeled/6.png validation/copy.jpg near"]);
    });
  }

  it("finds exact copies, of which it says so", async () => {
    await copyFile(at("validation/3.png"), at("labeled/copy.png"));
    const [leak] = await found("labeled/copy.png");
    assert.equal(leak?.kind, "exact");
    assert.equal(leak.distance, 0);
  });

  it("tells how near and whether mirrored, to the nearest validation image alone", async () => {
    await scene(1).jpeg().toFile(at("validation/1.jpg"));
    await scene(1).flop().jpeg({ quality: 60 }).toFile(at("unlabeled/copy.jpg"));
    const leaks = await found("validation/1.jpg", "unlabeled/copy.jpg");
    assert.equal(leaks.length, 1);
    assert.equal(leaks[0]?.mirrored, true);
    assert.ok((leaks[0]?.distance ?? 1) < 0.005);
    assert.equal(leaks[0]?.distance, Number(leaks[0]?.distance.toFixed(3)));
  });

  it("goes by the distance that it is given", async () => {
    await scene(2).extract({ left: 20, top: 12, width: 276, height: 216 }).jpeg().toFile(at("unlabeled/copy.jpg"));
    assert.deepEqual(await leaksAmong(at(), [...files, "unlabeled/copy.jpg"], 0), []);
  });

  it("does not compare validation images with each other, nor the others", async () => {
    await scene(1).jpeg().toFile(at("validation/copy.jpg"));
    await scene(4).jpeg().toFile(at("unlabeled/copy.jpg"));
    assert.deepEqual(await found("validation/copy.jpg", "unlabeled/copy.jpg"), []);
  });

  it("tells a picture from the same one without its colours", async () => {
    await scene(2).toColourspace("b-w").jpeg().toFile(at("unlabeled/gray.jpg"));
    assert.deepEqual(await found("unlabeled/gray.jpg"), []);
    await scene(2).toColourspace("b-w").png().toFile(at("validation/gray.png"));
    assert.deepEqual(names(await found("unlabeled/gray.jpg", "validation/gray.png")), [
      "unlabeled/gray.jpg validation/gray.png near",
    ]);
  });

  it("has evidence with pictures of both", async () => {
    await scene(2).jpeg({ quality: 50 }).toFile(at("unlabeled/copy.jpg"));
    await copyFile(at("validation/3.png"), at("unlabeled/same.png"));
    const evidence = await gatherEvidence(await found("unlabeled/copy.jpg", "unlabeled/same.png"), signal, localImages);
    assert.deepEqual(
      evidence.map(({ file_name, validation, kind, previews }) => [
        file_name,
        validation,
        kind,
        previews !== undefined,
      ]),
      [
        ["unlabeled/same.png", "validation/3.png", "exact", false],
        ["unlabeled/copy.jpg", "validation/2.png", "near", true],
      ],
    );
    const preview = await sharp(Buffer.from(evidence[1]?.previews?.validation ?? "", "base64")).metadata();
    assert.deepEqual([preview.format, preview.width, preview.height], ["jpeg", 240, 180]);
  });

  it("names an image that goes away while it is looked at", async () => {
    await scene(2).jpeg({ quality: 50 }).toFile(at("unlabeled/copy.jpg"));
    const candidates = ["validation/2.png", "unlabeled/copy.jpg"].map((file_name): Candidate => {
      return { split: file_name.split("/")[0] as Candidate["split"], path: at(file_name), file_name };
    });
    const { images, pictures } = await inspectAll(candidates, { maxPixels: 1e8, signal, onProgress: () => {} });
    await rm(at("unlabeled/copy.jpg"));
    await assert.rejects(findLeaks(dropUnsound(images, "error").kept, pictures, MAX_DISTANCE, signal), {
      reason: "IMAGE_INVALID",
      message: /copy\.jpg could be decoded at first/,
    });
  });
});

describe("the leak firewall on photos", function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const photos = join(packageRoot, "../shared/data/aquarium/images");
  before(function () {
    if (existsSync(photos)) return;
    console.log(`      skipped: ${photos} is not there`);
    this.skip();
  });

  it("finds most of their altered copies, and takes no other photo for one", async () => {
    const chosen = (await readdir(photos)).sort().filter((_, index) => index % 16 === 0);
    await mkdir(at("validation"));
    await mkdir(at("unlabeled"));
    for (const [index, name] of chosen.entries()) {
      // Half of them have a copy, the others nothing to be taken for one.
      if (index % 2 === 0) await copyFile(join(photos, name), at("validation", name));
      const photo = sharp(join(photos, name));
      const { width, height } = await photo.metadata();
      const border = Math.round(0.06 * width);
      await photo
        .extract({ left: border, top: 0, width: width - border, height: height - border })
        .resize(Math.round(0.6 * width))
        .flop()
        .jpeg({ quality: 50 })
        .toFile(at("unlabeled", name));
    }
    const copied = chosen.filter((_, index) => index % 2 === 0);
    const paths = [...chosen.map((name) => `unlabeled/${name}`), ...copied.map((name) => `validation/${name}`)];
    const right = new Set(copied.map((name) => `unlabeled/${name} validation/${name} near`));
    const leaks = names(await leaksAmong(at(), paths));
    assert.deepEqual(
      leaks.filter((leak) => !right.has(leak)),
      [],
    );
    assert.ok(leaks.length >= 0.95 * copied.length, `${leaks.length} of ${copied.length}`);
  });
});
