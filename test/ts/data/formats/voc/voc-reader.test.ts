import assert from "node:assert/strict";
import { annotationFiles, readAnnotations, readSource } from "../../../../../ts/data/formats/read-annotations.js";
import { temporaryFolder, writeImage } from "../../fixtures.js";
import { faultsOf, writeText } from "../written-sets.js";

const SIZE = "<size><width>32</width><height>24</height><depth>3</depth></size>";

function object(name: string, corners = "1 2 11 12", more = ""): string {
  const [xmin, ymin, xmax, ymax] = corners.split(" ");
  const box = `<xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax>`;
  return `<object><name>${name}</name><bndbox>${box}</bndbox>${more}</object>`;
}

describe("the Pascal VOC reader", () => {
  const at = temporaryFolder();

  const write = (name: string, content: string, size = SIZE): Promise<void> =>
    writeText(at("voc/Annotations", `${name}.xml`), `<annotation>${size}${content}</annotation>`);
  const read = (annotations = at("voc"), split?: string) => readAnnotations({ annotations, split }, "error");
  const namesOf = async (...args: Parameters<typeof read>) =>
    (await read(...args)).images.map(({ file_name, annotations }) => `${file_name} ${annotations.length}`);

  it("takes the corners as they are, and numbers classes by the order of their names", async () => {
    await write("1", `<filename>1.jpg</filename>${object("dog")}${object("cat", "0 0 32 24.5")}`);
    const { categories, images, imageFolder, boxes } = await read();
    assert.deepEqual(categories, [
      { id: 1, name: "cat" },
      { id: 2, name: "dog" },
    ]);
    assert.deepEqual(images, [
      {
        id: 1,
        file_name: "1.jpg",
        width_px: 32,
        height_px: 24,
        annotations: [
          { box_xywh: [1, 2, 10, 10], class_index: 1, area: 100, iscrowd: false },
          { box_xywh: [0, 0, 32, 24], class_index: 0, area: 768, iscrowd: false },
        ],
      },
    ]);
    assert.equal(boxes.rounded, 1);
    assert.equal(imageFolder, undefined);
  });

  it("takes names and their order from a label map, and the used ones that it lacks after them", async () => {
    await write("1", object("dog") + object("a:b"));
    await writeText(
      at("voc/labelmap.txt"),
      "# label:color_rgb:parts:actions\nbackground:0,0,0::\nzebra:1,2,3::\ndog\na:b:::",
    );
    const { categories } = await read();
    assert.deepEqual(
      categories.map(({ name }) => name),
      ["zebra", "dog", "a:b"],
    );
  });

  it("keeps images without objects, and marks of crowds", async () => {
    await write("1", "<filename>1.jpg</filename>");
    await write("2", `<filename>2.jpg</filename>${object("dog", "1 2 11 12", "<iscrowd>1</iscrowd>")}`);
    const { images } = await read();
    assert.deepEqual(
      images.map(({ annotations }) => annotations.map(({ iscrowd }) => iscrowd)),
      [[], [true]],
    );
  });

  it("passes over the parts of an object", async () => {
    await write("1", object("dog", "1 2 11 12", `<part>${object("head")}<name>head</name></part>`));
    assert.equal((await read()).images[0]?.annotations.length, 1);
  });

  it("finds the image by what its name may mean: its folder and its extension are often wrong", async () => {
    for (const name of ["1.png", "2.jpg", "x/3.jpg", "4.jpg"]) await writeImage(at("voc/JPEGImages", name), 1);
    await write("1", "<filename>1.jpg</filename>");
    await write("2", "<filename>renamed.jpg</filename>");
    await write("x/3", "<filename>3.jpg</filename>");
    await write("4", "");
    await write("5", "<filename>5.jpg</filename>");
    assert.deepEqual(await namesOf(), ["1.png 0", "2.jpg 0", "4.jpg 0", "5.jpg 0", "x/3.jpg 0"]);
  });

  it("takes the same name in two folders for two images", async () => {
    await write("x/1", "<filename>1.jpg</filename>");
    await write("y/1", "<filename>1.jpg</filename>");
    assert.deepEqual(await namesOf(), ["x/1.jpg 0", "y/1.jpg 0"]);
  });

  it("reads one file, a folder of files, and the images of an image set", async () => {
    for (const name of ["1", "2", "3"]) await write(name, `<filename>${name}.jpg</filename>`);
    await writeText(at("voc/ImageSets/Main/val.txt"), "3\n1");
    assert.deepEqual(await namesOf(at("voc/Annotations")), ["1.jpg 0", "2.jpg 0", "3.jpg 0"]);
    assert.deepEqual(await namesOf(at("voc/Annotations/2.xml")), ["2.jpg 0"]);
    assert.deepEqual(await namesOf(at("voc/ImageSets/Main/val.txt")), ["1.jpg 0", "3.jpg 0"]);
    assert.deepEqual(await namesOf(at("voc"), "val"), ["1.jpg 0", "3.jpg 0"]);
  });

  it("refuses an image set that names a file that is not there", async () => {
    await write("1", "");
    await writeText(at("voc/ImageSets/Main/val.txt"), "1\n9");
    await assert.rejects(read(at("voc"), "val"), {
      reason: "ANNOTATIONS_INVALID",
      message: /9\.xml, which is not there/,
    });
    await assert.rejects(read(at("voc"), "test"), { reason: "FILE_NOT_FOUND", message: /test\.txt/ });
  });

  it("asks the image for a size that is not annotated, or is 0", async () => {
    await writeImage(at("voc/JPEGImages/1.jpg"), 1, 40, 30);
    await write("1", "<filename>1.jpg</filename>", "<size><width>0</width><height>0</height></size>");
    const [image] = (await read()).images;
    assert.deepEqual([image?.width_px, image?.height_px], [40, 30]);
    await write("2", `<filename>2.jpg</filename>${object("dog")}`, "");
    assert.match((await faultsOf({ annotations: at("voc") })).unreadable_image?.join() ?? "", /2\.jpg cannot be read/);
  });

  it("counts polygons as masks", async () => {
    await write("1", object("dog", "1 2 11 12", "<polygon><x1>1</x1></polygon>") + object("dog"));
    assert.equal((await readSource({ annotations: at("voc") }, { masks: false })).maskCount, 1);
  });

  const broken: [what: string, content: string, fault: RegExp][] = [
    ["an object without a name", object(""), /1\.xml: object 1 has no name/],
    ["an object without a box", "<object><name>dog</name></object>", /object 1 \(dog\) has no bndbox/],
    ["a corner that is no number", object("dog", "1 2 nan 12"), /\(dog\) has the xmax "nan", not a number/],
    ["a corner that is missing", object("dog", "1 2 3 "), /has the ymax undefined/],
    ["a file name that leads out", "<filename>../../1.jpg</filename>", /1\.xml names the image \.\.\/\.\.\/1\.jpg/],
    ["an entity of its own", "<filename>&x;</filename>", /1\.xml: .*entity/],
    ["an element that is not closed", "<object>", /1\.xml: /],
  ];
  for (const [what, content, fault] of broken) {
    it(`lists a file with ${what}, and reads the others`, async () => {
      await write("1", content);
      await write("2", object("dog"));
      const { images } = await readSource({ annotations: at("voc") }, { masks: false });
      assert.ok(images.some(({ file_name }) => file_name === "2.jpg"));
      assert.match((await faultsOf({ annotations: at("voc") })).invalid_record?.join() ?? "", fault);
      await assert.rejects(read(), { reason: "ANNOTATIONS_INVALID", message: fault });
    });
  }

  it("lists files of another kind, and in another encoding", async () => {
    await writeText(at("voc/Annotations/1.xml"), "<annotations/>");
    await writeText(at("voc/Annotations/2.xml"), Buffer.from("<annotation>\u00e9</annotation>", "latin1"));
    const faults = (await faultsOf({ annotations: at("voc") })).invalid_record ?? [];
    assert.match(faults.join("\n"), /1\.xml: the root element is <annotations>/);
    assert.match(faults.join("\n"), /2\.xml is not UTF-8/);
  });

  it("refuses boxes outside their image, with file and object", async () => {
    await write("1", object("dog") + object("dog", "100 2 111 12"));
    await assert.rejects(read(), { message: /1\.xml object 2: the box \[100, 2, 11, 10\] lies outside/ });
  });

  it("refuses two files about one image", async () => {
    await write("1", "<filename>1.jpg</filename>");
    await writeImage(at("voc/JPEGImages/1.jpg"), 1);
    await write("2", "<filename>1.jpg</filename>");
    await assert.rejects(read(), { message: /2\.xml is about the image 1\.jpg, as .*1\.xml is/ });
  });

  it("is read from files that a change of any of them changes", async () => {
    await write("1", "");
    await writeText(at("voc/labelmap.txt"), "dog");
    assert.deepEqual(await annotationFiles({ annotations: at("voc") }), [
      at("voc/Annotations/1.xml"),
      at("voc/labelmap.txt"),
    ]);
  });
});
