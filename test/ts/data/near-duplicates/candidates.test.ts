import assert from "node:assert/strict";
import {
  findCopyCandidates,
  mergeCandidates,
  type SuspectedCopy,
} from "../../../../ts/data/near-duplicates/candidates.js";
import { WINDOWS } from "../../../../ts/data/near-duplicates/picture-hash.js";
import { searchCopies, searchSeries } from "../../../../ts/data/near-duplicates/search.js";
import { hashesOf, view, WHOLE } from "./pictures.js";

const CROP = { left: 0.1, right: 0.06, top: 0.05, bottom: 0.09 };

function findAll(pictures: Uint32Array, suspects: Uint32Array, originals: Uint32Array): SuspectedCopy[] {
  return mergeCandidates([
    findCopyCandidates(pictures, suspects, originals, "suspect"),
    findCopyCandidates(pictures, suspects, originals, "original"),
  ]);
}

describe("copy candidates", () => {
  const originals = Uint32Array.of(0, 1, 2);
  const find = (suspect: ReturnType<typeof view>, ...others: ReturnType<typeof view>[]) => {
    const pictures = hashesOf([view(1), view(2), view(3), suspect, ...others]);
    return findAll(pictures, Uint32Array.of(3), originals);
  };

  it("are none for another picture", () => assert.deepEqual(find(view(4)), []));

  it("name the original of a copy, whole, cropped and mirrored", () => {
    for (const copy of [view(2), view(2, CROP), view(2, WHOLE, true), view(2, CROP, true)]) {
      const [found] = find(copy);
      assert.equal(found?.suspect, 3);
      assert.equal(found.candidates[0]?.original, 1);
    }
    assert.equal(find(view(2))[0]?.candidates[0]?.mirrored, false);
    assert.equal(find(view(2, WHOLE, true))[0]?.candidates[0]?.mirrored, true);
  });

  it("tell which of the two is cropped, and where", () => {
    const inner = WINDOWS.length - 1;
    const pictures = hashesOf([view(1), view(1, WINDOWS[inner])]);
    const [of, by] = [Uint32Array.of(0), Uint32Array.of(1)];
    const placement = { distance: 0, window: inner, mirrored: false };
    const near = (distance: number | undefined): boolean => distance !== undefined && distance <= 3;
    const [suspectCropped] = findAll(pictures, by, of);
    assert.ok(near(suspectCropped?.candidates[0]?.distance));
    assert.deepEqual(
      { ...suspectCropped?.candidates[0], distance: 0 },
      { ...placement, original: 0, cropped: "suspect" },
    );
    const [originalCropped] = findAll(pictures, of, by);
    assert.deepEqual(
      { ...originalCropped?.candidates[0], distance: 0 },
      { ...placement, original: 1, cropped: "original" },
    );
  });

  it("are the nearest few where many are alike", () => {
    const alike = Array.from({ length: 10 }, (_, index) => view(1, { ...WHOLE, left: 0.002 * index }));
    const pictures = hashesOf([...alike, view(1)]);
    const [found] = findAll(pictures, Uint32Array.of(10), Uint32Array.from(alike.keys()));
    assert.equal(found?.candidates.length, 4);
    assert.equal(new Set(found.candidates.map(({ original }) => original)).size, 4);
    const distances = found.candidates.map(({ distance }) => distance);
    assert.deepEqual(
      distances,
      [...distances].sort((a, b) => a - b),
    );
  });

  it("pass over pictures without contrast", () => {
    const flat = { gray: new Uint8Array(1024), colours: [] };
    assert.deepEqual(findAll(hashesOf([flat, flat]), Uint32Array.of(0), Uint32Array.of(1)), []);
  });
});

describe("copy candidates of several searches", () => {
  const candidate = { original: 7, distance: 3, cropped: "suspect", window: 0, mirrored: false } as const;

  it("are one of each original, the nearest, whichever search found it, by suspect", () => {
    const near = { ...candidate, distance: 2, cropped: "original", window: 4 } as const;
    const other = { ...candidate, original: 8, distance: 1 };
    const searches = [
      [
        { suspect: 5, candidates: [candidate] },
        { suspect: 2, candidates: [candidate] },
      ],
      [{ suspect: 5, candidates: [near, other] }],
    ];
    const expected = [
      { suspect: 2, candidates: [candidate] },
      { suspect: 5, candidates: [other, near] },
    ];
    assert.deepEqual(mergeCandidates(searches), expected);
    assert.deepEqual(mergeCandidates(searches.toReversed()), expected);
  });
});

describe("a search in a thread", () => {
  const { signal } = new AbortController();

  it("finds the same as here", async () => {
    const pictures = hashesOf([view(1), view(2), view(2, CROP)]);
    const [suspects, originals] = [Uint32Array.of(2), Uint32Array.of(0, 1)];
    const expected = findAll(pictures, suspects, originals);
    assert.equal(expected.length, 1);
    assert.deepEqual(await searchCopies(pictures, suspects, originals, signal), expected);
    const series = await searchSeries(pictures, Uint32Array.of(0, 1, 2), ["a", "b", "c"], signal);
    assert.equal(series.length, 3);
  });

  it("stops when it is cancelled", async () => {
    const search = searchCopies(hashesOf([view(1)]), Uint32Array.of(0), Uint32Array.of(0), AbortSignal.abort());
    await assert.rejects(search, { name: "AbortError" });
    const controller = new AbortController();
    const stopped = searchCopies(hashesOf([view(1)]), Uint32Array.of(0), Uint32Array.of(0), controller.signal);
    controller.abort();
    await assert.rejects(stopped, { name: "AbortError" });
  });
});
