import assert from "node:assert/strict";
import fc from "fast-check";
import { CasslError } from "../../../../../ts/core/errors.js";
import { maskOfJson } from "../../../../../ts/evaluation/coco/input/mask-json.js";
import { type Mask, maskKernel } from "../../../../../ts/evaluation/coco/mask-kernel.js";
import {
  area,
  encode,
  fromSegmentation,
  type Rle,
  toBox,
  toCompressed,
  toUncompressed,
} from "../../../../../ts/masks/index.js";
import { bitmaps } from "../../../masks/bitmaps.js";

describe("maskOfJson", () => {
  it("reads runs in both forms", () => {
    fc.assert(
      fc.property(bitmaps, (bitmap) => {
        const mask = encode(bitmap);
        assertReads(JSON.stringify(toCompressed(mask)), mask);
        assertReads(JSON.stringify(toUncompressed(mask)), mask);
      }),
    );
  });

  it("reads polygons", () => {
    const polygons = fc.array(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 8 }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(polygons, (halves) => {
        const segmentation = halves.map((numbers) => [...numbers, ...numbers]);
        assertReads(JSON.stringify(segmentation), fromSegmentation(segmentation, 5, 4));
      }),
    );
  });

  const mask = fromSegmentation({ size: [200, 3], counts: [44, 300, 256] }, 3, 200);
  const text = JSON.stringify(toCompressed(mask).counts);
  const spellings: [string, string][] = [
    ["blanks", ` { "size" : [ 200 , 3.0 ] ,\n"counts" : ${text} } `],
    ["another order", `{"counts":${text},"size":[200,3]}`],
    ["other members", `{"counts":${text},"more":{"size":[1]},"size":[2e2,3]}`],
    ["escaped names", `{"\\u0063ounts":${text},"size":[200,3]}`],
    ["escaped characters", `{"counts":"${escaped(toCompressed(mask).counts)}","size":[200,3]}`],
    ["members twice, of which the last counts", `{"counts":"0","counts":${text},"size":[1,2],"size":[200,3]}`],
  ];
  for (const [what, json] of spellings) it(`reads ${what}`, () => assertReads(json, mask));

  const broken: [string, RegExp][] = [
    ["null", /segmentation null is no mask/],
    ['"text"', /segmentation "text" is no mask/],
    ["[]", /segmentation \[\] is no mask/],
    ["[[]]", /polygon has 0 numbers/],
    ["[[1,2,3,4,5,null]]", /coordinate null/],
    ["[[1,2,3,4,5,NaN]]", /\[\[1,2,3,4,5,NaN\]\].* is no mask/],
    ['{"counts":[[1,2,3,4,5,6]],"size":[4,5]}', /length 1,2,3/],
    ['{"size":[2,2]}', /is no mask/],
    ['{"counts":"04"}', /is no mask/],
    ['{"size":[2,2,2],"counts":"04"}', /is no mask/],
    ['{"size":[2,2],"counts":"05"}', /5 px do not fill/],
    ['{"size":[2,2],"counts":"\\u00e9"}', /byte 0 is not one of/],
    ['{"size":[2,2],"counts":""}', /0 px do not fill/],
  ];
  for (const [json, message] of broken) {
    it(`refuses ${json}`, () => {
      assert.throws(
        () => read(json),
        (error) => error instanceof CasslError && message.test(error.message),
      );
    });
  }
});

/** Also where it is among other bytes. */
function assertReads(json: string, expected: Rle): void {
  const { clear, keep, ofRle, iou, widthOf, heightOf, areaOf, boxOf } = maskKernel();
  clear();
  const mask = read(json);
  keep(mask);
  assert.deepEqual([widthOf(mask), heightOf(mask)], [expected.width, expected.height]);
  assert.equal(areaOf(mask), area(expected));
  assert.deepEqual(boxOf(mask), toBox(expected));
  assert.equal(iou(mask, ofRle(expected), false, 0), areaOf(mask) === 0 ? 0 : 1);
}

function read(json: string): Mask {
  const bytes = Buffer.from(`"before",${json}, "after"`);
  return maskOfJson(bytes.subarray('"before",'.length, bytes.length - ', "after"'.length), 5, 4);
}

function escaped(counts: string): string {
  return [...counts].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}
