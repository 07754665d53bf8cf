import assert from "node:assert/strict";
import { packNames } from "../../../../ts/data/near-duplicates/natural-order.js";
import { FLIP_MASK } from "../../../../ts/data/near-duplicates/picture-hash.js";
import { mergeSeries, seriesByName, seriesByPicture } from "../../../../ts/data/near-duplicates/series.js";
import { hashesOf, view, WHOLE } from "./pictures.js";

function findSeries(pictures: Uint32Array, positions: Uint32Array, names: readonly string[]): number[] {
  const searches = [
    seriesByPicture(pictures, positions, 0),
    seriesByPicture(pictures, positions, FLIP_MASK),
    seriesByName(pictures, positions, packNames(names)),
  ];
  return [...mergeSeries(searches)];
}

const series = (views: ReturnType<typeof view>[], names: string[]): number[] =>
  findSeries(hashesOf(views), Uint32Array.from(views.keys()), names);

describe("series", () => {
  it("are of one picture each where all are different", () => {
    assert.deepEqual(series([view(1), view(2), view(3)], ["a", "b", "c"]), [0, 1, 2]);
  });

  it("hold copies and mirrored copies, wherever they are", () => {
    const views = [view(1), view(2), view(1, { ...WHOLE, left: 0.005 }), view(3), view(2, WHOLE, true)];
    assert.deepEqual(series(views, ["a/1", "b/1", "c/1", "d/1", "e/1"]), [0, 1, 0, 3, 1]);
  });

  it("hold pictures that are less alike if they are neighbours by name, through several steps", () => {
    const moved = (left: number) => view(1, { left, right: 0.3 - left, top: 0, bottom: 0 });
    const views = [moved(0), moved(0.05), moved(0.1), view(2)];
    assert.deepEqual(series(views, ["IMG_9.jpg", "IMG_10.jpg", "IMG_12.jpg", "IMG_13.jpg"]), [0, 0, 0, 3]);
    const apart = ["a.jpg", "m.jpg", "t.jpg", "z.jpg"].map((name, index) => `${index}/${name}`);
    const scattered = views.flatMap((picture, index) => [picture, view(10 + index), view(20 + index)]);
    const names = scattered.map((_, index) => `${apart[Math.floor(index / 3)]}${index}`);
    assert.equal(new Set(series(scattered, names)).size, scattered.length);
  });

  it("do not hold pictures without contrast", () => {
    const flat = { gray: new Uint8Array(1024), colours: [] };
    assert.deepEqual(series([flat, flat], ["1", "2"]), [0, 1]);
  });

  it("take the given pictures alone", () => {
    const pictures = hashesOf([view(1), view(2), view(1)]);
    assert.deepEqual(findSeries(pictures, Uint32Array.of(1, 2), ["a", "b"]), [0, 1]);
    assert.deepEqual(findSeries(pictures, Uint32Array.of(2, 0), ["a", "b"]), [0, 0]);
  });
});

describe("merging series", () => {
  it("joins what any of them joins, and names the first", () => {
    const merged = mergeSeries([
      Uint32Array.of(0, 1, 1, 3, 4),
      Uint32Array.of(0, 1, 2, 2, 4),
      Uint32Array.of(0, 1, 2, 3, 0),
    ]);
    assert.deepEqual([...merged], [0, 1, 1, 1, 0]);
    assert.deepEqual([...mergeSeries([])], []);
  });
});
