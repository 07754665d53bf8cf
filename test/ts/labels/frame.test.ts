import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeShard } from "../../../ts/labels/frame.js";
import { columnsOf, countsOf, encodeShard, type Prediction, type ShardImage } from "./fixtures.js";

const prediction: fc.Arbitrary<Prediction> = fc.record({
  box: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99)),
  score: fc.nat(256).map((part) => part / 256),
  classIndex: fc.nat(9),
});
const shardImages: fc.Arbitrary<ShardImage[]> = fc
  .array(fc.array(prediction, { maxLength: 4 }), { maxLength: 6 })
  .map((images) => images.map((predictions, index) => ({ index, predictions })));
const counts = (image_count: number, box_count: number) => ({ image_count, box_count });
const one: Prediction = { box: [1, 2, 3, 4], score: 0.5, classIndex: 7 };

describe("decoding a shard", () => {
  it("gives back its columns, wherever the payload lies in memory", () => {
    fc.assert(
      fc.property(shardImages, fc.nat(3), (images, shift) => {
        const bytes = encodeShard(images);
        const payload = new Uint8Array(new ArrayBuffer(bytes.length + shift), shift);
        payload.set(bytes);
        const columns = decodeShard(payload, countsOf(images));
        const boxes = images.flatMap(({ predictions }) => predictions);
        assert.deepEqual(
          [...columns.imageIndex],
          images.map(({ index }) => index),
        );
        assert.deepEqual(
          [...columns.boxesPerImage],
          images.map(({ predictions }) => predictions.length),
        );
        assert.deepEqual(
          [...columns.boxXyxy],
          boxes.flatMap(({ box }) => box),
        );
        assert.deepEqual(
          [...columns.score],
          boxes.map(({ score }) => score),
        );
        assert.deepEqual(
          [...columns.classIndex],
          boxes.map(({ classIndex }) => classIndex),
        );
      }),
    );
  });

  it("copies nothing where the payload is aligned", () => {
    const payload = Uint8Array.from(encodeShard([{ index: 0, predictions: [one] }]));
    const { score } = decodeShard(payload, counts(1, 1));
    assert.equal(score.buffer, payload.buffer);
    payload.fill(0);
    assert.equal(score[0], 0);
  });

  const refused: [what: string, payload: Uint8Array, imageCount: number, boxCount: number, message: RegExp][] = [
    ["is too short", encodeShard([{ index: 0, predictions: [one] }]).subarray(0, 31), 1, 1, /31 bytes.* 32/],
    ["is too long", encodeShard([{ index: 0, predictions: [one] }]), 1, 0, /32 bytes.* 8/],
    [
      "counts other boxes than it holds",
      encodeShard([
        { index: 0, predictions: [one] },
        { index: 1, predictions: [] },
      ]).fill(2, 8, 9),
      2,
      1,
      /counts 2 boxes/,
    ],
    [
      "has an image twice",
      encodeShard([
        { index: 3, predictions: [] },
        { index: 3, predictions: [] },
      ]),
      2,
      0,
      /image index 3/,
    ],
    [
      "has images out of order",
      encodeShard([
        { index: 3, predictions: [] },
        { index: 2, predictions: [] },
      ]),
      2,
      0,
      /image index 2/,
    ],
    ["has a negative image index", encodeShard([{ index: -1, predictions: [] }]), 1, 0, /image index -1/],
    [
      "has a box that is not a number",
      encodeShard([{ index: 0, predictions: [{ ...one, box: [1, Number.NaN, 3, 4] }] }]),
      1,
      1,
      /not finite/,
    ],
    [
      "has an infinite box",
      encodeShard([{ index: 0, predictions: [{ ...one, box: [1, 2, Infinity, 4] }] }]),
      1,
      1,
      /not finite/,
    ],
    ["has a score above 1", encodeShard([{ index: 0, predictions: [{ ...one, score: 1.5 }] }]), 1, 1, /score 1\.5/],
    [
      "has a score that is not a number",
      encodeShard([{ index: 0, predictions: [{ ...one, score: Number.NaN }] }]),
      1,
      1,
      /score NaN/,
    ],
    ["has a negative class", encodeShard([{ index: 0, predictions: [{ ...one, classIndex: -1 }] }]), 1, 1, /class/],
  ];
  for (const [what, payload, imageCount, boxCount, message] of refused) {
    it(`refuses one that ${what}`, () => {
      assert.throws(() => decodeShard(payload, counts(imageCount, boxCount)), { reason: "FRAME_INVALID", message });
    });
  }

  it("refuses one with a negative number of boxes for an image", () => {
    const payload = encodeShard([
      { index: 0, predictions: [one, one] },
      { index: 1, predictions: [] },
    ]);
    new DataView(payload.buffer, payload.byteOffset).setInt32(8, 3, true);
    new DataView(payload.buffer, payload.byteOffset).setInt32(12, -1, true);
    assert.throws(() => decodeShard(payload, counts(2, 2)), { reason: "FRAME_INVALID", message: /negative number/ });
  });

  const masked: ShardImage[] = [
    {
      index: 0,
      predictions: [
        { ...one, mask: "01o" },
        { ...one, mask: "9" },
      ],
    },
    { index: 1, predictions: [] },
    { index: 2, predictions: [{ ...one, mask: "PPYo1" }] },
  ];

  it("gives the mask of each box, if there are masks", () => {
    assert.deepEqual(columnsOf(masked).masks, ["01o", "9", "PPYo1"]);
    assert.equal(columnsOf([{ index: 0, predictions: [one] }]).masks, undefined);
    assert.deepEqual(
      decodeShard(encodeShard([{ index: 0, predictions: [] }]), { ...counts(1, 0), mask_bytes: 0 }).masks,
      [],
    );
  });

  it("refuses masks that are not what the header says, empty ones and foreign characters", () => {
    const refuses = (images: ShardImage[], mask_bytes: number, message: RegExp) => {
      const payload = encodeShard(images);
      assert.throws(() => decodeShard(payload, { ...countsOf(images), mask_bytes }), {
        reason: "FRAME_INVALID",
        message,
      });
    };
    refuses(masked, 8, /bytes of masks/);
    refuses(
      [
        {
          index: 0,
          predictions: [
            { ...one, mask: "0" },
            { ...one, mask: "" },
          ],
        },
      ],
      1,
      /mask without bytes/,
    );
    refuses([{ index: 0, predictions: [{ ...one, mask: "0p" }] }], 2, /byte 112/);
    const longer = encodeShard(masked);
    new DataView(longer.buffer, longer.byteOffset).setInt32(8 * 3 + 24 * 3, 4, true);
    assert.throws(() => decodeShard(longer, countsOf(masked)), { reason: "FRAME_INVALID", message: /counts 10 bytes/ });
  });
});
