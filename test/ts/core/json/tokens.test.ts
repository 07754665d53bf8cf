import assert from "node:assert/strict";
import fc from "fast-check";
import { CasslError } from "../../../../ts/core/errors.js";
import type { ByteWindow } from "../../../../ts/core/json/byte-window.js";
import {
  another,
  CLOSE_BRACE,
  enter,
  expectEnd,
  keyTable,
  OPEN_BRACE,
  readKey,
  takeJson,
} from "../../../../ts/core/json/tokens.js";
import { windowOn } from "./windows.js";

/** Windows and readings that cut every token somewhere. */
const cuts = fc.record({ size: fc.integer({ min: 1, max: 20 }), most: fc.integer({ min: 1, max: 20 }) });
const blanks = fc.constantFrom("", " ", "\t", "\r\n ");

function readAll(window: ByteWindow): unknown {
  const value = takeJson(window);
  expectEnd(window);
  return value;
}

function outcomeOf(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof CasslError && error.reason === "ANNOTATIONS_INVALID")) {
      return "refused";
    }
    throw error;
  }
}

describe("takeJson", () => {
  it("reads what JSON.parse reads, wherever tokens are cut", () => {
    fc.assert(
      fc.property(fc.jsonValue(), blanks, cuts, (value, blank, { size, most }) => {
        const text = JSON.stringify(value, null, blank);
        assert.deepEqual(readAll(windowOn(text, size, most)), JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses what JSON.parse refuses", () => {
    const damage = fc.record({
      at: fc.nat(200),
      removed: fc.nat(2),
      inserted: fc.constantFrom(
        "",
        ",",
        ":",
        '"',
        "\\",
        "[",
        "]",
        "{",
        "}",
        "-",
        ".",
        "e",
        "0",
        "1",
        "\n",
        " ",
        "\0",
        "u",
      ),
    });
    fc.assert(
      fc.property(fc.jsonValue(), damage, cuts, (value, { at, removed, inserted }, { size, most }) => {
        const whole = JSON.stringify(value);
        const place = at % (whole.length + 1);
        const text = whole.slice(0, place) + inserted + whole.slice(place + removed);
        const expected = outcomeOf(() => JSON.parse(text) as unknown);
        assert.deepEqual(
          outcomeOf(() => readAll(windowOn(text, size, most))),
          expected,
          text,
        );
      }),
      { numRuns: 5000 },
    );
  });

  it("refuses nesting beyond 500, which is no data", () => {
    assert.throws(() => readAll(windowOn("[".repeat(502) + "]".repeat(502))), /byte 501/);
    readAll(windowOn("[".repeat(500) + "]".repeat(500)));
  });
});

describe("readKey", () => {
  it("knows names however they are escaped and wherever they are cut", () => {
    const text = String.raw`{ "bbox":1, "im\u0061ge_id":2 ,"bbo":3,"score" : 4, "bboxes":5, "\"": 6 }`;
    for (let size = 1; size < 20; size++) {
      const window = windowOn(text, size, 1 + (size % 3));
      const keys: [number, unknown][] = [];
      for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
        keys.push([readKey(window, keyTable(["image_id", "bbox", "score"])), takeJson(window)]);
      }
      const expected = [1, 0, -1, 2, -1, -1].map((key, i) => [key, i + 1]);
      assert.deepEqual(keys, expected);
    }
  });
});
