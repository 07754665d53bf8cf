import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeShard, readPredictions } from "../../../ts/labels/predictions.js";
import { memoryArtifacts } from "../data/fixtures.js";
import { encodeShard, type Prediction, type ShardImage, storePredictions } from "./fixtures.js";

const prediction: fc.Arbitrary<Prediction> = fc.record({
  box: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99)),
  score: fc.nat(256).map((part) => part / 256),
  classIndex: fc.nat(9),
});
const shardImages: fc.Arbitrary<ShardImage[]> = fc
  .array(fc.array(prediction, { maxLength: 4 }), { maxLength: 6 })
  .map((images) => images.map((predictions, index) => ({ index, predictions })));
const boxCountOf = (images: readonly ShardImage[]): number =>
  images.reduce((sum, { predictions }) => sum + predictions.length, 0);
const one: Prediction = { box: [1, 2, 3, 4], score: 0.5, classIndex: 7 };

describe("decoding a shard", () => {
  it("gives back its columns, wherever the payload lies in memory", () => {
    fc.assert(
      fc.property(shardImages, fc.nat(3), (images, shift) => {
        const bytes = encodeShard(images);
        const payload = new Uint8Array(new ArrayBuffer(bytes.length + shift), shift);
        payload.set(bytes);
        const columns = decodeShard(payload, images.length, boxCountOf(images));
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
          [...columns.boxXywh],
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
    const { score } = decodeShard(payload, 1, 1);
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
      assert.throws(() => decodeShard(payload, imageCount, boxCount), { reason: "FRAME_INVALID", message });
    });
  }

  it("refuses one with a negative number of boxes for an image", () => {
    const payload = encodeShard([
      { index: 0, predictions: [one, one] },
      { index: 1, predictions: [] },
    ]);
    new DataView(payload.buffer, payload.byteOffset).setInt32(8, 3, true);
    new DataView(payload.buffer, payload.byteOffset).setInt32(12, -1, true);
    assert.throws(() => decodeShard(payload, 2, 2), { reason: "FRAME_INVALID", message: /negative number/ });
  });
});

describe("reading the predictions of a dataset", () => {
  const image = (index: number, ...predictions: Prediction[]): ShardImage => ({ index, predictions });
  const read = async (shards: ShardImage[][], imageCount: number) => {
    const artifacts = memoryArtifacts();
    const all = [];
    for await (const predictions of readPredictions(await storePredictions(shards, artifacts), imageCount, artifacts))
      all.push(predictions);
    return all;
  };

  it("gives every image in order, with its own boxes", async () => {
    const other: Prediction = { box: [5, 6, 7, 8], score: 0.25, classIndex: 1 };
    const all = await read([[image(0, one, other), image(1)], [image(2, other)]], 3);
    assert.deepEqual(
      all.map(({ imageIndex, score }) => [imageIndex, ...score]),
      [[0, 0.5, 0.25], [1], [2, 0.25]],
    );
    assert.deepEqual(
      all.map(({ boxXywh, classIndex }) => [...boxXywh, ...classIndex]),
      [[1, 2, 3, 4, 5, 6, 7, 8, 7, 1], [], [5, 6, 7, 8, 1]],
    );
  });

  it("gives nothing of no images", async () => {
    assert.deepEqual(await read([], 0), []);
  });

  it("refuses predictions with a missing, repeated or foreign image", async () => {
    await assert.rejects(read([[image(0)], [image(2)]], 3), {
      reason: "ARTIFACT_CORRUPT",
      message: /image 2 where image 1 is due/,
    });
    await assert.rejects(read([[image(0)], [image(0)]], 2), {
      reason: "ARTIFACT_CORRUPT",
      message: /image 0 where image 1 is due/,
    });
    await assert.rejects(read([[image(0)]], 2), { reason: "ARTIFACT_CORRUPT", message: /cover 1 of 2/ });
    await assert.rejects(read([[image(0), image(1)]], 1), { reason: "ARTIFACT_CORRUPT", message: /cover 2 of 1/ });
  });
});
