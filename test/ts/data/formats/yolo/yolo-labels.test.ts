import assert from "node:assert/strict";
import { parseYoloLabels } from "../../../../../ts/data/formats/yolo/yolo-labels.js";

const parse = (text: string, hasKeypoints = false) => {
  const classIndices = new Map([0, 1, 7].map((number, index) => [number, index]));
  return parseYoloLabels(text, 200, 100, { classIndices, hasKeypoints });
};

describe("a file of YOLO labels", () => {
  it("has a box on each line, the last of which need not end", () => {
    const { rows, faults } = parse("7 0.5 0.5 0.25 0.5\r\n\n0.0\t0.1  .1 1e-1 0.2");
    assert.deepEqual(faults, []);
    assert.deepEqual(rows, [
      { classIndex: 2, box: [75, 25, 50, 50], iscrowd: false, sourceId: 1 },
      { classIndex: 0, box: [10, 0, 20, 20], iscrowd: false, sourceId: 3 },
    ]);
  });

  it("may have polygons, whose boxes are taken and whose corners are kept", () => {
    const { rows } = parse("1 0.1 0.2 0.5 0.9 0.3 0.1\n");
    assert.deepEqual(rows[0]?.box, [20, 10, 80, 80]);
    assert.equal(rows[0]?.segmentation, "[[20,20,100,90,60,10]]");
  });

  it("may have polygons of any number of corners", () => {
    const { rows } = parse(`1 ${"0.1 0.2 0.5 0.9 ".repeat(100_000)}0.3 0.1\n`);
    assert.deepEqual(rows[0]?.box, [20, 10, 80, 80]);
  });

  it("may have keypoints after a box, if the data set says so", () => {
    const line = "0 0.5 0.5 0.2 0.2 0.4 0.4 0.6 0.6 0.5 0.5";
    assert.deepEqual(parse(line, true).rows[0]?.box, [80, 40, 40, 20]);
    assert.notEqual(parse(line).rows[0]?.segmentation, undefined);
  });

  it("keeps boxes that are outside or negative, for the box policy to judge", () => {
    assert.deepEqual(parse("0 1.5 0.5 0.2 -0.2").rows[0]?.box, [280, 60, 40, -20]);
  });

  it("is empty for an image without objects", () => {
    assert.deepEqual(parse("\n \n"), { rows: [], faults: [] });
  });

  const refused: [line: string, fault: RegExp][] = [
    ["2 0.5 0.5 0.1 0.1", /no name is given for class 2/],
    ["-1 0.5 0.5 0.1 0.1", /class -1/],
    ["0.5 0.5 0.5 0.1 0.1", /class 0\.5/],
    ["cat 0.5 0.5 0.1 0.1", /starts with "cat"/],
    ["0 nan 0.5 0.1 0.1", /"nan" is not a number/],
    ["0 0.5 0.5 0.1 inf", /"inf" is not a number/],
    ["0 0,5 0,5 0,1 0,1", /"0,5" is not a number/],
    ["0 0.5 0.5 0.1", /3 values/],
    ["0 0.5 0.5 0.1 0.1 0.9", /5 values/],
    ["0", /0 values/],
  ];
  for (const [line, fault] of refused) {
    it(`is at fault on a line like ${line}, and goes on`, () => {
      const { rows, faults } = parse(`0 0.5 0.5 0.1 0.1\n${line}\n1 0.5 0.5 0.1 0.1\n`);
      assert.equal(rows.length, 2);
      assert.match(faults.join("\n"), /^line 2: /);
      assert.match(faults.join("\n"), fault);
    });
  }
});
