import assert from "node:assert/strict";
import { annotationFiles, readAnnotations } from "../../../../../ts/data/formats/read-annotations.js";
import { temporaryFolder, writeImage } from "../../fixtures.js";
import { faultsOf, flatObjects, writeText } from "../written-sets.js";

const HEAD = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf";

describe("the Open Images reader", () => {
  const at = temporaryFolder();
  const write = (...rows: readonly string[]): Promise<void> => writeText(at("boxes.csv"), [HEAD, ...rows].join("\n"));
  const read = () => readAnnotations({ annotations: at("boxes.csv") }, "error");

  beforeEach(async () => {
    for (const name of ["b", "a", "c"]) await writeImage(at("images", `${name}.jpg`), 1, 40, 20);
  });

  it("makes pixels of shares, files of ids with or without extension, and crowds of groups", async () => {
    await write(
      "b,xclick,/m/1,1,0.5,1,0.25,0.75,0,0,1",
      'a.jpg,,cat,,"0,1","0,2","0,5","1",,,',
      "b,,cat,,0,.5,0,1,,,0",
    );
    const set = await read();
    assert.deepEqual(
      set.images.map(({ id, file_name, width_px, height_px }) => [id, file_name, width_px, height_px]),
      [
        [1, "a.jpg", 40, 20],
        [2, "b.jpg", 40, 20],
      ],
    );
    assert.deepEqual(
      flatObjects(set).map(({ image, name, box, iscrowd }) => [image, name, box, iscrowd]),
      [
        ["a.jpg", "cat", [4, 10, 4, 10], false],
        ["b.jpg", "/m/1", [20, 5, 20, 10], true],
        ["b.jpg", "cat", [0, 0, 20, 20], false],
      ],
    );
  });

  it("takes the names of classes from the descriptions beside it", async () => {
    await write("a,,/m/2,,0,1,0,1,,,", "a,,/m/1,,0,1,0,1,,,");
    await writeText(at("class-descriptions-boxable.csv"), '/m/1,Zebra\n/m/2,"Cat, small"\n/m/3,Dog\n');
    assert.deepEqual((await read()).categories, [
      { id: 1, name: "Cat, small" },
      { id: 2, name: "Zebra" },
    ]);
    assert.deepEqual(await annotationFiles({ annotations: at("boxes.csv") }), [
      at("boxes.csv"),
      at("class-descriptions-boxable.csv"),
    ]);
  });

  it("refuses a file without its columns, by their names", async () => {
    await writeText(at("boxes.csv"), "ImageID,LabelName,XMin,XMax\na,cat,0,1\n");
    await assert.rejects(read(), { reason: "ANNOTATIONS_INVALID", message: /lacks the columns YMin, YMax/ });
    await writeText(at("boxes.csv"), "");
    await assert.rejects(read(), { message: /lacks the columns ImageID/ });
  });

  it("refuses what is no CSV, no UTF-8 or not there", async () => {
    await writeText(at("boxes.csv"), `${HEAD}\na,"cat\n`);
    await assert.rejects(read(), { reason: "ANNOTATIONS_INVALID", message: /no CSV: line 2 has a quote/ });
    await writeText(at("boxes.csv"), Buffer.from(`${HEAD}\ncaf\u00e9`, "latin1"));
    await assert.rejects(read(), { reason: "ANNOTATIONS_INVALID", message: /not UTF-8/ });
    await assert.rejects(readAnnotations({ annotations: at("gone.csv") }, "error"), { reason: "FILE_NOT_FOUND" });
  });

  const broken: [row: string, fault: RegExp][] = [
    ["a,,cat,,0,1,0", /line 2 has 7 fields, not 11/],
    [",,cat,,0,1,0,1,,,", /line 2 has the ImageID ""/],
    ["../a,,cat,,0,1,0,1,,,", /line 2 has the ImageID "\.\.\/a"/],
    ["a,,,,0,1,0,1,,,", /line 2 has no LabelName/],
    ["a,,cat,,0,NaN,0,1,,,", /line 2 has the XMax "NaN", not a number/],
    ["a,,cat,,0,1,,1,,,", /line 2 has the YMin "", not a number/],
  ];
  for (const [row, fault] of broken) {
    it(`lists a row like ${row}`, async () => {
      await write(row, "a,,cat,,0,1,0,1,,,");
      assert.match((await faultsOf({ annotations: at("boxes.csv") })).invalid_record?.join() ?? "", fault);
    });
  }

  it("lists rows whose image is not there, and refuses negative boxes by their line", async () => {
    await write("gone,,cat,,0,1,0,1,,,");
    assert.match((await faultsOf({ annotations: at("boxes.csv") })).unreadable_image?.join() ?? "", /gone/);
    await write("a,,cat,,0.5,0.25,0,1,,,");
    await assert.rejects(read(), { message: /line 2: the box \[20, 0, -10, 20\] has no area/ });
  });
});
