import assert from "node:assert/strict";
import fc from "fast-check";
import type { Dataset } from "../../../ts/core/dataset.js";
import { holdOut } from "../../../ts/pipeline/held-out.js";

/** One image for each list of classes. */
function datasetOf(classes: readonly (readonly number[])[]): Dataset {
  return {
    categories: [0, 1, 2, 3].map((index) => ({ id: index + 1, name: `class ${index}` })),
    images: classes.map((own, index) => ({
      id: index + 1,
      file_name: `${index + 1}.jpg`,
      sha256: "00",
      width_px: 9,
      height_px: 9,
      annotations: own.map((class_index) => ({ box_xywh: [1, 2, 3, 4], class_index, area: 12, iscrowd: false })),
    })),
  };
}
const alone = (fileName: string) => fileName;
const idsOf = ({ images }: Dataset) => images.map(({ id }) => id);
const ones = (count: number) => datasetOf(Array.from({ length: count }, () => [0]));

describe("holding out labeled images", () => {
  it("splits the set in two, without loss and with both sides used where there are two images", () => {
    const lists = fc.array(fc.array(fc.nat(3), { maxLength: 3 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(lists, fc.constantFrom(0, 0.05, 0.2, 0.5), fc.nat(99), (classes, share, seed) => {
        const dataset = datasetOf(classes);
        const { training, heldOut } = holdOut(dataset, share, seed, alone);
        assert.deepEqual(
          [...idsOf(training), ...idsOf(heldOut)].sort((a, b) => a - b),
          idsOf(dataset),
        );
        const due = share === 0 ? 0 : Math.max(1, Math.round(share * classes.length));
        assert.equal(heldOut.images.length, Math.min(due, classes.length - 1));
      }),
    );
  });

  it("holds out a fifth of 20 images, and no more than 200 of many", () => {
    assert.equal(holdOut(ones(20), 0.2, 0, alone).heldOut.images.length, 4);
    assert.equal(holdOut(ones(3000), 0.2, 0, alone).heldOut.images.length, 200);
  });

  it("leaves the only image of a class to training", () => {
    const rare = datasetOf([[0], [0], [0, 1], [0], [2], [0], [0], [0]]);
    for (let seed = 0; seed < 20; seed++) {
      const training = idsOf(holdOut(rare, 0.5, seed, alone).training);
      assert.ok(training.includes(3) && training.includes(5));
    }
  });

  it("draws by seed, whatever the order of the images", () => {
    const dataset = ones(30);
    const turned = { ...dataset, images: dataset.images.toReversed() };
    const heldOut = (set: Dataset, seed: number) => idsOf(holdOut(set, 0.2, seed, alone).heldOut).sort((a, b) => a - b);
    assert.deepEqual(heldOut(turned, 1), heldOut(dataset, 1));
    assert.notDeepEqual(heldOut(dataset, 2), heldOut(dataset, 1));
  });

  it("keeps series together", () => {
    const seriesOf = (fileName: string) => String(Math.floor(Number.parseInt(fileName, 10) / 3));
    for (let seed = 0; seed < 10; seed++) {
      const { training, heldOut, isTorn } = holdOut(ones(30), 0.2, seed, seriesOf);
      const trained = new Set(training.images.map(({ file_name }) => seriesOf(file_name)));
      assert.ok(!isTorn && heldOut.images.every(({ file_name }) => !trained.has(seriesOf(file_name))));
    }
  });

  it("tears a series that is all there is, and says so", () => {
    const { training, heldOut, isTorn } = holdOut(ones(10), 0.2, 0, () => "one video");
    assert.deepEqual([training.images.length, heldOut.images.length, isTorn], [8, 2, true]);
  });
});
