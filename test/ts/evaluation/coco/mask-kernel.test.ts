import assert from "node:assert/strict";
import fc from "fast-check";
import { maskKernel } from "../../../../ts/evaluation/coco/mask-kernel.js";
import { area, fromPolygon, iou, type Rle, toBox, toCompressed } from "../../../../ts/masks/index.js";

/** As cassl/masks does, which pycocotools is compared with. */
describe("the mask kernel", () => {
  it("compares masks of any runs, empty ones too", () => {
    fc.assert(
      fc.property(masks, masks, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (dt, gt, isCrowd, lowest) => {
        assert.equal(compared(dt, gt, isCrowd, lowest), iou([dt], [gt], [isCrowd], lowest)[0]);
      }),
      { numRuns: 2000 },
    );
  });

  it("compares masks without pixels, whose boxes are larger than any image", () => {
    const [dt, gt] = [filled([0, 0], 4, 6), filled([1, 0], 6, 4)];
    assert.equal(compared(dt, gt, false, 0), -1);
    assert.equal(compared(dt, dt, false, 0), 0);
  });

  it("measures masks of any runs", () => {
    fc.assert(
      fc.property(masks, (mask) => {
        const { ofRle, areaOf, boxOf } = maskKernel();
        const address = ofRle(mask);
        assert.deepEqual([areaOf(address), boxOf(address)], [area(mask), toBox(mask)]);
      }),
    );
  });

  it("reads runs from their text", () => {
    fc.assert(fc.property(masks, (mask) => assertSame(JSON.stringify(toCompressed(mask)), mask)));
  });

  it("draws polygons that cross themselves and leave the image", () => {
    fc.assert(
      fc.property(polygonsOf(thousandths), (polygon) => {
        assertSame(JSON.stringify([polygon]), fromPolygon(polygon, WIDTH, HEIGHT));
      }),
      { numRuns: 2000 },
    );
  });

  it("draws polygons of numbers of all digits, if it does", () => {
    fc.assert(
      fc.property(polygonsOf(doubles), (polygon) => {
        const json = JSON.stringify([polygon]);
        if (maskKernel().ofJson(Buffer.from(json), WIDTH, HEIGHT) === 0) return;
        assertSame(json, fromPolygon(polygon, WIDTH, HEIGHT));
      }),
    );
  });

  it("draws polygons of many edges a column", () => {
    const zigzag = Array.from({ length: 300 }, (_, i) => [
      (i % 2) * (WIDTH + 2) - 1,
      ((73 * i) % (10 * HEIGHT)) / 10,
    ]).flat();
    assertSame(JSON.stringify([zigzag]), fromPolygon(zigzag, WIDTH, HEIGHT));
  });

  it("leaves numbers to others whose rounding it cannot tell", () => {
    // 5 * 0.3 + 0.5 is 2 only if 0.3 is rounded as it should.
    for (const x of ["0.299999999999999990", "0.30000000000000004", "0.1000000000000000055511151231257827"]) {
      assert.equal(maskKernel().ofJson(Buffer.from(`[[${x},0,9,0,9,9]]`), WIDTH, HEIGHT), 0);
    }
  });

  it("does not take what is no mask in the usual form", () => {
    const others = [
      "",
      "{}",
      "[]",
      "[[]]",
      "[[1,2,3,4]]",
      "[[1,2,3,4,5,6],[1,2,3,4,5,6]]",
      "[[1,2,3,4,5,6]",
      "[[1,2,3,4,5,6]]]",
    ];
    const compressed = ['{"size":[2,2],"counts":"0"', '{"size":[2,2],"counts":"05"}', '{"size":[2,2.5],"counts":"05"}'];
    const numbers = ["01", "-", "1.", ".5", "1e1", "+1", "1e9", "20000000", "- 1"].map((x) => `[[${x},0,9,0,9,9]]`);
    for (const json of [...others, ...compressed, ...numbers]) {
      assert.equal(maskKernel().ofJson(Buffer.from(json), WIDTH, HEIGHT), 0, json);
    }
    for (const side of [NaN, -3, 2.5, 2 ** 31]) {
      assert.equal(maskKernel().ofJson(Buffer.from("[[1,2,3,4,5,6]]"), WIDTH, side), 0);
      assert.equal(maskKernel().ofJson(Buffer.from("[[1,2,3,4,5,6]]"), side, HEIGHT), 0);
    }
  });
});

const WIDTH = 23;
const HEIGHT = 17;

const masks = fc
  .tuple(fc.array(fc.nat({ max: 9 }), { maxLength: 12 }), fc.constantFrom([4, 6], [6, 4], [3, 8]))
  .map(([runs, [width, height]]) => filled(runs, width as number, height as number));

/** Runs cut or filled up to the size of an image. */
function filled(runs: readonly number[], width: number, height: number): Rle {
  let left = width * height;
  const cut = runs.map((run) => {
    const length = Math.min(run, left);
    left -= length;
    return length;
  });
  return { width, height, counts: Uint32Array.from([...cut, left]) };
}

function polygonsOf(coordinate: (side: number) => fc.Arbitrary<number>): fc.Arbitrary<number[]> {
  const corners = fc.array(fc.tuple(coordinate(WIDTH), coordinate(HEIGHT)), { minLength: 3, maxLength: 40 });
  return corners.map((pairs) => pairs.flat());
}

/** Also where pixels change. */
function thousandths(side: number): fc.Arbitrary<number> {
  return fc
    .tuple(fc.integer({ min: -1000 * side, max: 2000 * side }), fc.constantFrom(1000, 100, 1))
    .map(([thousandth, step]) => (Math.trunc(thousandth / step) * step) / 1000);
}

function doubles(side: number): fc.Arbitrary<number> {
  return fc.double({ min: -side, max: 2 * side, noNaN: true });
}

function compared(dt: Rle, gt: Rle, isCrowd: boolean, lowest: number): number {
  const kernel = maskKernel();
  kernel.clear();
  const target = kernel.ofRle(gt);
  kernel.keep(target);
  return kernel.iou(kernel.ofRle(dt), target, isCrowd, lowest);
}

function assertSame(json: string, expected: Rle): void {
  const kernel = maskKernel();
  kernel.clear();
  const read = kernel.ofJson(Buffer.from(json), WIDTH, HEIGHT);
  assert.notEqual(read, 0);
  kernel.keep(read);
  const made = kernel.ofRle(expected);
  assert.deepEqual([kernel.areaOf(read), kernel.boxOf(read)], [area(expected), toBox(expected)]);
  assert.equal(kernel.iou(read, made, false, 0), iou([expected], [expected])[0]);
}
