/** Reading from bytes, compared with JSON.parse. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { createFaultList } from "../../../../../ts/data/formats/fault-list.js";
import { readAnnotations, readSource } from "../../../../../ts/data/formats/read-annotations.js";
import { cocoDocument, temporaryFolder, writeJson } from "../../fixtures.js";
import { faultsIn } from "../written-sets.js";

const read = (file: string, masks = false) => readSource({ annotations: file }, { masks });

describe("reading COCO from its bytes", function () {
  this.timeout(20_000);
  const at = temporaryFolder();

  const number = fc.oneof(fc.integer({ min: -9, max: 999 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  const annotation = fc.record(
    {
      image_id: fc.constantFrom(1, 2, 3),
      category_id: fc.constantFrom(2, 5),
      bbox: fc.tuple(number, number, number, number),
      area: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      iscrowd: fc.constantFrom(0, 1, true, false),
      segmentation: fc.constantFrom([], [[1, 2, 3.5, 4, 5, 6]], { counts: 'a]"\\b', size: [3, 4] }, null),
      attributes: fc.json().map((json) => JSON.parse(json) as unknown),
    },
    { requiredKeys: ["image_id", "category_id", "bbox"] },
  );

  it("gives every number and every mask as JSON.parse does, whatever else stands in a record", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(annotation), fc.constantFrom(0, 2), async (records, indent) => {
        const annotations = records.map((record, index) => ({ ...record, id: 7 * index }));
        const document = { ...cocoDocument([3, 1, 2]), annotations };
        await writeFile(at("a.json"), JSON.stringify(document, undefined, indent));
        const set = await read(at("a.json"), true);
        const { objects, maskCount } = set;
        assert.deepEqual(faultsIn(set), {});
        const expected = [1, 2, 3].flatMap((id) => annotations.filter(({ image_id }) => image_id === id));
        const isMask = (value: unknown): boolean =>
          value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
        assert.deepEqual(
          [...objects.sourceIds],
          expected.map(({ id }) => id),
        );
        assert.deepEqual(
          [...objects.boxesXywh],
          expected.flatMap(({ bbox }) => bbox.map((side) => (Object.is(side, -0) ? 0 : side))),
        );
        assert.deepEqual(
          [...objects.isCrowd],
          expected.map(({ iscrowd }) => Number(iscrowd ?? 0)),
        );
        assert.deepEqual(
          objects.segmentations?.map((text) => (text === undefined ? undefined : (JSON.parse(text) as unknown))),
          expected.map(({ segmentation }) => (isMask(segmentation) ? segmentation : undefined)),
        );
        assert.equal(maskCount, expected.filter(({ segmentation }) => isMask(segmentation)).length);
      }),
      { numRuns: 60 },
    );
  });

  it("is the same however long the file is, and wherever its lists stand", async () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => 20_000 - index);
    const { images, annotations, categories } = cocoDocument(ids);
    await writeJson(at("a.json"), { annotations, info: { images: [] }, categories, images });
    const set = await readAnnotations({ annotations: at("a.json") }, "error");
    assert.equal(set.images.length, 20_000);
    for (const [index, { id, file_name, annotations: objects }] of set.images.entries()) {
      assert.deepEqual([id, file_name], [index + 1, `${index + 1}.jpg`]);
      assert.deepEqual(objects, [{ box_xywh: [4, 4, 10, 8], class_index: index % 2, area: 80, iscrowd: false }]);
    }
  });

  it("judges records that are written alike each by itself", async () => {
    const coco = cocoDocument(Array.from({ length: 50 }, (_, index) => index + 1));
    Object.assign(coco.annotations[20] ?? {}, { id: 1.5 });
    Object.assign(coco.annotations[21] ?? {}, { area: -1 });
    Object.assign(coco.annotations[22] ?? {}, { iscrowd: 2 });
    Object.assign(coco.annotations[23] ?? {}, { iscrowd: 1 });
    delete coco.annotations[24]?.["area"];
    delete coco.annotations[25]?.["category_id"];
    await writeJson(at("a.json"), coco);
    const { objects, faults } = await read(at("a.json"));
    assert.equal(objects.sourceIds.length, 46);
    assert.deepEqual(
      [...objects.isCrowd.keys()].filter((row) => objects.isCrowd[row] === 1).map((row) => objects.sourceIds[row]),
      [124],
    );
    assert.ok(objects.areas.every((area) => area === 80));
    assert.match(
      faults.of("invalid_record").examples.join("\n"),
      /position 20 has the id 1\.5.*\nannotation 122 has the area -1.*\nannotation 123 has the iscrowd 2.*\nannotation 126 has the category_id undefined/,
    );
  });

  it("takes a byte order mark and escapes in names", async () => {
    const text = JSON.stringify(cocoDocument([1]))
      .replace("1.jpg", "caf\\u00e9 \u00e9.jpg")
      .replace('"dog"', '"\\"d\\/og"');
    await writeFile(at("a.json"), `\ufeff${text}\n`);
    const { images, categories } = await read(at("a.json"));
    assert.equal(images[0]?.file_name, "caf\u00e9 \u00e9.jpg");
    assert.equal(categories[1]?.name, '"d/og');
  });

  it("lists names that are not UTF-8", async () => {
    const bytes = Buffer.from(JSON.stringify(cocoDocument([1, 2])).replace("2.jpg", "caf\u00e9.jpg"), "latin1");
    await writeFile(at("a.json"), bytes);
    const { faults, images } = await read(at("a.json"));
    assert.equal(images.length, 1);
    assert.match(faults.of("invalid_record").examples.join(), /image 2 has the file_name .*not a text in UTF-8/);
  });

  it("lists boxes of NaN and Infinity, which Python writes, and reads the others", async () => {
    const text = JSON.stringify(cocoDocument([1, 2, 3]))
      .replace("[4,4,10,8]", "[4,NaN,10,8]")
      .replace("[4,4,10,8]", "[4,4,Infinity,8]");
    await writeFile(at("a.json"), text);
    const { faults, objects } = await read(at("a.json"));
    assert.equal(objects.sourceIds.length, 1);
    assert.match(
      faults.of("invalid_record").examples.join("\n"),
      /\[4, NaN, 10, 8\], not four finite.*\n.*\[4, 4, Infinity, 8\]/,
    );
  });

  it("counts all faults, keeps the first, and tells of what follows from others only if there are none", async () => {
    const coco = cocoDocument(Array.from({ length: 50 }, (_, index) => index + 1));
    for (const image of coco.images) delete image["width"];
    await writeJson(at("a.json"), coco);
    const { faults } = await read(at("a.json"));
    assert.equal(faults.of("invalid_record").count, 50);
    assert.equal(faults.of("invalid_record").examples.length, 20);
    assert.equal(faults.of("unknown_reference").count, 0);
    const message = /image 1 .*\n.*\n.*\n.*\n.*image 5 .*\n.*and 45 more$/;
    await assert.rejects(readAnnotations({ annotations: at("a.json") }, "error"), { message });
    assert.equal(createFaultList().of("invalid_record").count, 0);
  });

  it("lists very long names with their beginning", async () => {
    const coco = cocoDocument([1]);
    Object.assign(coco.images[0] ?? {}, { file_name: `/${"x".repeat(10_000)}.jpg` });
    await writeJson(at("a.json"), coco);
    const [fault = ""] = (await read(at("a.json"))).faults.of("invalid_record").examples;
    assert.ok(fault.length < 200 && fault.includes("xxx..."), fault);
  });

  const refused: [what: string, text: string, message: RegExp][] = [
    ["cut off", '{"images": [{"id": 1', /a\.json is cut off at byte 20, in `images` at position 0/],
    ["empty", "", /cut off at byte 0/],
    ["followed by something", '{"images":[],"annotations":[],"categories":[]} {}', /not JSON at byte 47.*"\{\}"/],
    ["not JSON", "hello", /not JSON at byte 0/],
    ["XML", "<annotation/>", /not JSON at byte 0/],
    ["UTF-16", "\ufffe{\u0000}\u0000", /not JSON at byte/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses a file that is ${what}`, async () => {
      await writeFile(at("a.json"), text);
      await assert.rejects(read(at("a.json")), { reason: "ANNOTATIONS_INVALID", message });
    });
  }

  it("names a file that is not there", async () => {
    await assert.rejects(read(at("no.json")), { reason: "FILE_NOT_FOUND", message: /no\.json/ });
  });
});
