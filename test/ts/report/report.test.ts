import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { encodeCounts, fromBox } from "../../../ts/masks/index.js";
import { comparison } from "../../../ts/report/comparison.js";
import { type ReportedCuration, type SampleGroup, type SampleImage, writeReport } from "../../../ts/report/report.js";
import { exampleConfig, exampleInput, exampleResult } from "./example.js";
import { assertWellFormed } from "./well-formed.js";

describe("report", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-report-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = async (input = exampleInput()): Promise<{ page: string; markdown: string }> => {
    await writeReport(input, folder);
    const [markdown, page] = await Promise.all(
      ["report.md", "report.html"].map((name) => readFile(join(folder, name), "utf8")),
    );
    return { page: page ?? "", markdown: markdown ?? "" };
  };

  const sample = async (label: string): Promise<SampleImage> => {
    const image_path = join(folder, "photo.png");
    await sharp({ create: { width: 640, height: 400, channels: 3, background: "#88aacc" } })
      .png()
      .toFile(image_path);
    return {
      title: "photo.png",
      image_path,
      width_px: 640,
      height_px: 400,
      boxes: [
        { box_xywh: [10, 20, 100, 50], label, kind: "ground_truth" },
        { box_xywh: [12, 18, 104, 55], label: "object", score: 0.875, kind: "pseudo_label" },
      ],
    };
  };

  const group = (...images: SampleImage[]): SampleGroup => ({ title: "Images", images });

  it("is well-formed and needs nothing beside it", async () => {
    const { page } = await write(exampleInput({ samples: [group(await sample("cell"))] }));
    assertWellFormed(page);
    assert.doesNotMatch(page, /<script|<link|@import|url\(|(?:src|href)="(?!data:|#)/);
    assert.doesNotMatch(page, /NaN|undefined|\[object/);
  });

  it("lets browsers load nothing and run nothing", async () => {
    const { page } = await write();
    assert.match(
      page,
      /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"\/>/,
    );
  });

  it("has a link to each of its sections", async () => {
    const { page } = await write(exampleInput({ samples: [group(await sample("cell"))] }));
    const targets = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, id = ""]) => id);
    const sections = targets(/<section id="([^"]+)"/g);
    assert.deepEqual(targets(/href="#([^"]+)"/g), sections);
    assert.equal(new Set(sections).size, sections.length);
    assert.ok(sections.length >= 10);
  });

  it("asks the question before it answers, in both files", async () => {
    const curation: ReportedCuration = {
      fates: [
        { split: "unlabeled", fate: "used", images: 272 },
        { split: "unlabeled", fate: "dropped", reason: "same content as another image", images: 5 },
        { split: "validation", fate: "used", images: 72 },
      ],
      leaks: [],
    };
    const { page, markdown } = await write(exampleInput({ curation }));
    for (const text of [page, markdown]) {
      assert.match(
        text,
        /Do 272 unlabeled images help 20 labeled ones\? class_agnostic against supervised, each with 900 training iterations in all, judged by the COCO AP on 72 validation images\./,
      );
    }
    const [, only = assert.fail()] = exampleResult.arms;
    const alone = await write(exampleInput({ curation, result: { ...exampleResult, arms: [only] } }));
    assert.match(alone.page, /How well does class_agnostic detect, trained on 20 labeled and 272 unlabeled images/);
  });

  it("shows paired differences, errors, parity, cost and all that it takes to do it again, in both files", async () => {
    const { page, markdown } = await write();
    for (const text of [page, markdown]) {
      assert.match(text, /class_agnostic\W.*supervised\W.*\+3\.43/);
      assert.match(text, /1\.0 \(3\)/);
      assert.match(text, /4\.0e-4.*passed/s);
      assert.match(text, /40 s were planned: they took 30 s, 75 % of that/);
      assert.match(text, /worker one.*gpu-box.*cpu, cuda:0, H100.*torch 2\.14\.1/s);
      assert.match(text, /validation set.*1 B.*0123456789abcdef0123456789abcdef/s);
    }
  });

  it("shows the table and the same sentence as the terminal, in both files", async () => {
    const { page, markdown } = await write();
    for (const text of [page, markdown]) {
      assert.ok(text.includes(comparison(exampleResult.arms)));
      assert.match(text, /44\.7/);
      assert.match(text, /20 \(6\.8 %\)/);
    }
  });

  it("draws the masks of sample images over them", async () => {
    const image = await sample("cell");
    const [box, ...boxes] = image.boxes as [SampleImage["boxes"][number], ...SampleImage["boxes"][number][]];
    const mask = encodeCounts(fromBox([10, 20, 100, 50], 640, 400).counts);
    const { page } = await write(exampleInput({ samples: [group({ ...image, boxes: [{ ...box, mask }, ...boxes] })] }));
    assertWellFormed(page);
    assert.equal(page.match(/<path d="M10 20h2V70h-2z/g)?.length, 1);
  });

  it("shows AP of masks where an arm has some, and not otherwise", async () => {
    const { page: without } = await write();
    assert.doesNotMatch(without, /mask AP/);
    const masks = { segm_ap: 0.123, segm_ap50: 0.234, segm_ap75: 0.05, class_agnostic_segm_ap: 0.2 };
    const [first, ...others] = exampleResult.arms;
    const arms = [{ ...(first as (typeof exampleResult.arms)[number]), ...masks }, ...others];
    const { page, markdown } = await write({ ...exampleInput(), result: { ...exampleResult, arms } });
    assertWellFormed(page);
    for (const text of [page, markdown]) assert.match(text, /class-agnostic mask AP[\s\S]*12\.3/);
  });

  it("shows what trainings took from other weights, part by part, in both files", async () => {
    const { page, markdown } = await write();
    assertWellFormed(page);
    assert.match(markdown, /class_agnostic\/finetune \| backbone \| 2 \(1,320\) \| - \| - \| - \| 100 % \|/);
    assert.match(markdown, /class_agnostic\/finetune \| class_predictor \| - \| - \| 1 \(88\) \| 1 \(1\) \| 0 % \|/);
    assert.match(markdown, /class_agnostic\/finetune \| all \| 2 \(1,320\) \| - \| 1 \(88\) \| 1 \(1\) \| 93\.8 % \|/);
    assert.match(page, /What trainings took from other weights/);
    const without = await write(exampleInput({ transplants: [] }));
    assert.doesNotMatch(without.page + without.markdown, /other weights/);
  });

  it("shows curves, steps with what was reused, gates and configuration", async () => {
    const { page, markdown } = await write();
    assert.equal(page.match(/<polyline/g)?.length, 3 + 2 * (4 + 1) + 2);
    assert.match(page, /16 images a batch over 2 processes/);
    assert.match(page, /reused, took 41 s before/);
    assert.match(markdown, /\| curate \| {2}\| 41 s \| reused \| 0123456789ab \|/);
    assert.match(markdown, /\| class_agnostic\/finetune \| 40 s \| /);
    for (const text of [page, markdown]) {
      assert.match(text, /min_box_ratio.*0\.831/);
      assert.match(text, /take: 20/);
    }
  });

  it("shows the score threshold with its interval and what it gives, and what speaks against it", async () => {
    const { page, markdown } = await write();
    for (const text of [page, markdown]) {
      assert.match(text, /4 held-out images with 16 objects/);
      assert.match(text, /0\.313 \\?\[0\.210, 0\.450\\?\]/);
      assert.match(text, /75\.0 \\?\[60\.0, 90\.0\\?\]/);
      assert.match(text, /class_agnostic: 16 objects in 4 held-out images are few/);
      assert.match(text, /3\.5.*4\.5 %/s);
    }
    assert.match(page, /F, precision and recall of class_agnostic over the score threshold/);
  });

  it("names gates that were overridden", async () => {
    const gate = { name: "max_collapse", scope: "class_agnostic", value: 0.5, limit: 0.3, passed: false } as const;
    const gates = [{ ...gate, overridden: true, reason: "One box fits all.", remedy: "Look." }];
    const { page, markdown } = await write(exampleInput({ result: { ...exampleResult, gates } }));
    for (const text of [page, markdown]) {
      assert.match(text, /Gate max_collapse of class_agnostic was overridden: One box fits all\./);
      assert.match(text, /not passed, overridden/);
    }
  });

  it("reports rounds without held-out images", async () => {
    const arms = exampleResult.arms.map((arm) => ({
      ...arm,
      rounds: arm.rounds.flatMap(({ quality: _, ...round }) => [round, round]),
    }));
    const { page, markdown } = await write(exampleInput({ result: { ...exampleResult, arms } }));
    assertWellFormed(page);
    assert.match(markdown, /\| class_agnostic \| 2 \| 0\.313 \| - \| - \| - \| 3\.5 \|/);
    for (const text of [page, markdown]) assert.match(text, /nothing was held out/);
  });

  it("embeds samples as thumbnails with their boxes in the image's own pixels", async () => {
    const { page } = await write(exampleInput({ samples: [group(await sample("cell"))] }));
    assert.match(page, /viewBox="0 0 640 400"/);
    assert.match(page, /<rect x="12" y="18" width="104" height="55"\/>/);
    assert.match(page, /object 0\.88/);
    const jpeg = /data:image\/jpeg;base64,([^"]+)/.exec(page)?.[1] ?? "";
    const { width, height } = await sharp(Buffer.from(jpeg, "base64")).metadata();
    assert.deepEqual([width, height], [400, 250]);
  });

  it("says what became of the images, and shows pairs of what leaked", async () => {
    const jpeg = (
      await sharp({ create: { width: 24, height: 18, channels: 3, background: "#abc" } })
        .jpeg()
        .toBuffer()
    ).toString("base64");
    const leak = { split: "unlabeled", validation: "val/<3>.jpg", mirrored: true } as const;
    const curation: ReportedCuration = {
      fates: [
        { split: "labeled", fate: "used", images: 20 },
        { split: "unlabeled", fate: "used", images: 270 },
        { split: "unlabeled", fate: "dropped", reason: "near-duplicate of a validation image", images: 2 },
      ],
      leaks: [
        { ...leak, file_name: "a.jpg", kind: "near", distance: 0.0123, previews: { image: jpeg, validation: jpeg } },
        { ...leak, file_name: "b.jpg", kind: "near", distance: 0.02 },
      ],
    };
    const { page, markdown } = await write(exampleInput({ curation }));
    assertWellFormed(page);
    assert.equal(page.match(/<figure class="pair">/g)?.length, 1);
    assert.match(page, /unlabeled a\.jpg, validation val\/&lt;3&gt;\.jpg: distance 0\.012, mirrored/);
    assert.match(markdown, /\| dropped: near-duplicate of a validation image \| 0 \| 2 \| 0 \| 2 \|/);
    assert.match(markdown, /\| all \| 20 \| 272 \| 0 \| 292 \|/);
    for (const text of [page, markdown])
      assert.match(text, /0 exact copies and 2 near-duplicates of validation images/);
    assert.match((await write()).page, /No image shows the same as a validation image/);
  });

  it("keeps a class named <script> text", async () => {
    const config = { ...exampleConfig, name: "a|b" };
    const { page, markdown } = await write(
      exampleInput({
        samples: [group(await sample("<script>alert(1)</script>"))],
        run: { ...exampleInput().run, run_id: "<i>`x`|", config },
        environment: { ...exampleInput().environment, host: "<b>\n| host" },
      }),
    );
    assert.match(markdown, /\| controller \| \\<b\\> \\\| host \|/);
    assertWellFormed(page);
    assert.doesNotMatch(page, /<script|<i>/);
    assert.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  });

  it("reports a run without gates, samples and events", async () => {
    const { page } = await write(exampleInput({ events: [], progress: [], result: { ...exampleResult, gates: [] } }));
    assertWellFormed(page);
    assert.doesNotMatch(page, />Gates<|>Samples</);
  });

  it("shows the boxes of an image that cannot be read any more", async () => {
    const missing = { ...(await sample("cell")), image_path: join(folder, "missing.png") };
    const { page } = await write(exampleInput({ samples: [group(missing)] }));
    assertWellFormed(page);
    assert.match(page, /<rect x="12" y="18"/);
    assert.match(page, /the image cannot be read any more/);
    assert.doesNotMatch(page, /<image/);
  });

  it("leaves nothing half-written where it fails", async () => {
    await mkdir(join(folder, "report.html"));
    await assert.rejects(write(exampleInput()), { code: "EISDIR" });
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith(".tmp")),
      [],
    );
  });
});
