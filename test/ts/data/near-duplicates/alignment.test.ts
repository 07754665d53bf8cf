import assert from "node:assert/strict";
import { mirror, pictureDistance } from "../../../../ts/data/near-duplicates/alignment.js";
import { view, WHOLE } from "./pictures.js";

const NEAR = { left: 0.08, right: 0, top: 0.08, bottom: 0 };

describe("the distance of pictures", () => {
  it("is nothing between a picture and itself, also if it is faded", () => {
    const picture = view(1);
    assert.ok(pictureDistance(picture, picture, WHOLE) < 1e-9);
    const fade = (values: Uint8Array): Uint8Array => values.map((value) => 0.5 * value + 50);
    const faded = { gray: fade(picture.gray), colours: picture.colours.map(fade) };
    assert.ok(pictureDistance(picture, faded, WHOLE) < 0.001);
  });

  it("is little between a picture and its part, wherever the part is within the borders", () => {
    for (const margins of [
      { left: 0.1, right: 0, top: 0.05, bottom: 0.02 },
      { left: 0.04, right: 0.04, top: 0.04, bottom: 0.04 },
      { left: 0.03, right: 0.01, top: 0.1, bottom: 0 },
    ]) {
      assert.ok(pictureDistance(view(1), view(1, margins), NEAR) < 0.01, JSON.stringify(margins));
    }
  });

  it("is much between pictures that have nothing to do with each other", () => {
    for (const seed of [2, 3, 4, 5]) assert.ok(pictureDistance(view(1), view(seed), WHOLE) > 0.3);
  });

  it("is much between pictures of the same shapes in other colours", () => {
    const { gray, colours } = view(1);
    const [red, green, blue] = colours as [Uint8Array, Uint8Array, Uint8Array];
    assert.ok(pictureDistance({ gray, colours }, { gray, colours: [blue, green, red] }, WHOLE) > 0.3);
  });

  it("is all between pictures that show nothing", () => {
    const flat = new Uint8Array(1024).fill(9);
    const nothing = { gray: flat, colours: [flat, flat, flat] };
    assert.equal(pictureDistance(nothing, nothing, WHOLE), 1);
    assert.equal(pictureDistance(view(1), nothing, WHOLE), 1);
  });
});

describe("mirroring a picture", () => {
  it("exchanges left and right, and twice is nothing", () => {
    const picture = view(1);
    assert.deepEqual(mirror(mirror(picture)), picture);
    assert.ok(pictureDistance(view(1, WHOLE, true), mirror(picture), WHOLE) < 1e-3);
    assert.ok(pictureDistance(picture, mirror(picture), WHOLE) > 0.3);
  });

  it("leaves the original alone", () => {
    const picture = view(1);
    mirror(picture);
    assert.deepEqual(picture, view(1));
  });
});
