import assert from "node:assert/strict";
import fc from "fast-check";
import { CasslError } from "../../../../../ts/core/errors.js";
import { annotationFields, resultFields } from "../../../../../ts/evaluation/coco/input/fields.js";
import { readRecords } from "../../../../../ts/evaluation/coco/input/json-records.js";
import { columnsInMemory } from "../../../../../ts/evaluation/coco/input/memory.js";
import { windowOn } from "../json/windows.js";

const source = { record: "annotation", file: "test.json" };

const number = fc.oneof(
  fc.integer({ min: -50, max: 5000 }),
  fc.double({ min: -50, max: 5000, noNaN: true }),
  fc.double({ min: 0, max: 1e-6, noNaN: true }),
);
const required = {
  id: fc.nat(),
  image_id: fc.nat(999_999),
  category_id: fc.nat(90),
  bbox: fc.tuple(number, number, number, number),
  area: number,
};
const optional = {
  iscrowd: fc.constantFrom(0, 1, true, false),
  segmentation: fc.constantFrom([[1, 2.5, 3]], { size: [3, 4], counts: '0:1"\\' }),
  file_name: fc.string(),
  score: number,
  "im\nage_id": fc.jsonValue(),
};
const record = fc.record(
  { ...required, ...optional },
  { requiredKeys: Object.keys(required) as (keyof typeof required)[] },
);

/** Runs of records that are written alike, with others between. */
const records = fc
  .array(
    fc.tuple(
      record,
      fc.array(fc.record(required), { maxLength: 4 }),
      fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }),
    ),
    { maxLength: 6 },
  )
  .map((runs) =>
    runs.flatMap(([first, others, order]) =>
      [first, ...others.map((other) => ({ ...first, ...other }))].map((members) => shuffled(members, order)),
    ),
  );

function shuffled(members: object, order: readonly number[]): object {
  const ranked = Object.entries(members).map((member, i) => ({ member, rank: order[i] as number }));
  return Object.fromEntries(ranked.sort((a, b) => a.rank - b.rank).map(({ member }) => member));
}

describe("readRecords", () => {
  it("reads records of any form as JSON.parse reads them, wherever the window cuts them", () => {
    const blanks = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(
        records,
        blanks,
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom(1, 30, 2 ** 20),
        (list, blank, size, most) => {
          const text = JSON.stringify(list, null, blank);
          const columns = readRecords(windowOn(text, size, most), annotationFields, source);
          assert.deepEqual(columns, columnsInMemory(JSON.parse(text) as object[], annotationFields, source));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("takes the last of members with one name", () => {
    const text = '[{"image_id":1,"category_id":2,"score":3,"bbox":[4,5,6,7],"score":8}]';
    assert.deepEqual([...readRecords(windowOn(text), resultFields, source).score], [8]);
  });

  it("refuses a list that is cut off at any byte", () => {
    const list = [1, 2, 3].map((id) => ({
      score: 0.5,
      image_id: id,
      bbox: [1, 2, 3.25, -4e-7],
      category_id: 3,
      note: ['x"\\', null, true],
    }));
    const text = JSON.stringify(list, null, 1);
    for (let length = 0; length < text.length; length++) {
      for (const size of [1, 7, 1000]) {
        const read = (): unknown => readRecords(windowOn(text.slice(0, length), size), resultFields, source);
        assert.throws(
          read,
          (error) => error instanceof CasslError && /test\.json is cut off at byte/.test(error.message),
        );
      }
    }
  });

  const good = '{"image_id":1,"category_id":2,"bbox":[4,5,6,7],"score":0.5}';
  const cases: [string, string, RegExp][] = [
    ["a record that is no object", "[1]", /position 1 of test.json is \[1\], not an object/],
    ["a score that is a text", good.replace("0.5", '"0.5"'), /position 1 of test.json has score "0.5"/],
    ["a score that is null", good.replace("0.5", "null"), /score null, which is not a finite number/],
    ["a score that is true", good.replace("0.5", "true"), /score true/],
    ["a record without a score", good.replace("score", "scores"), /score undefined, which is not a finite number/],
    ["a box of three numbers", good.replace(",7", ""), /bbox \[4,5,6\]/],
    ["a box of five numbers", good.replace(",7", ",7,8"), /bbox \[4,5,6,7,...\]/],
    ["a box that is an object", good.replace("[4,5,6,7]", '{"x":[1]}'), /bbox \{"x":\[1\]\}/],
    ["a box of texts", good.replace("[4,", '["4",'), /bbox "4"/],
    ["a word", good.replace("0.5", "nul"), /not JSON at byte \d+, in the result at position 1: found "nul/],
    ["a missing comma", good.replace(',"bbox', ' "bbox'), /not JSON at byte \d+, in the result at position 1/],
  ];
  for (const [what, bad, message] of cases) {
    it(`refuses ${what}, and says where`, () => {
      const text = `[${good}, ${bad}]`;
      const read = (): unknown => readRecords(windowOn(text), resultFields, { record: "result", file: "test.json" });
      assert.throws(read, (error) => error instanceof CasslError && message.test(error.message), text);
    });
  }

  it("takes a missing box for none, and an empty one, whatever the records before had", () => {
    const record = '{"image_id":1,"category_id":2,"bbox":[],"score":0.5}';
    const text = `[${record}, ${record}, ${good}, ${good}, ${good.replace("bbox", "box")}]`;
    const { boxXywh } = readRecords(windowOn(text), resultFields, { record: "result" });
    const boxes = [0, 1, 2, 3, 4].map((row) => [...boxXywh.subarray(4 * row, 4 * row + 4)]);
    const none = [NaN, NaN, NaN, NaN];
    assert.deepEqual(boxes, [none, none, [4, 5, 6, 7], [4, 5, 6, 7], none]);
  });
});
