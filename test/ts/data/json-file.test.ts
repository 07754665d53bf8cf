import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { jsonFaultIndex, readJsonFile } from "../../../ts/data/json-file.js";
import { temporaryFolder } from "./fixtures.js";

describe("reading a JSON file", () => {
  const at = temporaryFolder();

  const assertRefused = async (content: string | Uint8Array, message: RegExp): Promise<void> => {
    await writeFile(at("a.json"), content);
    await assert.rejects(readJsonFile(at("a.json")), { reason: "ANNOTATIONS_INVALID", message });
  };

  it("gives its value, with or without a byte order mark", async () => {
    await writeFile(at("a.json"), '\ufeff{"a": [1, "\u00e9"]}\n');
    assert.deepEqual(await readJsonFile(at("a.json")), { a: [1, "\u00e9"] });
  });

  it("names a file that is not there", async () => {
    await assert.rejects(readJsonFile(at("no.json")), { reason: "FILE_NOT_FOUND", message: /no\.json/ });
  });

  it("says at which byte and line the file is cut off", async () => {
    await assertRefused(
      '{"images": [\n{"id": 1, "file_name": "\u00e9',
      /a\.json is not JSON: it is cut off at byte 39 \(line 2\)/,
    );
    await assertRefused("", /cut off at byte 0/);
    await assertRefused('{"a": tru', /cut off at byte 9/);
    await assertRefused('{"a": "x\\', /cut off/);
  });

  it("says at which byte and line something else stands", async () => {
    await assertRefused('{"a": 1,\n "b": NaN}', /byte 15 \(line 2\): found "NaN}"/);
    await assertRefused("hello", /byte 0 \(line 1\): found "hello"/);
    await assertRefused("<annotation/>", /byte 0/);
    await assertRefused("{} {}", /byte 3/);
    await assertRefused('{"a": 1,}', /byte 8 .*"}"/);
  });

  it("refuses text that is not UTF-8", async () => {
    await assertRefused(Buffer.from('{"a": "\u00e9"}', "latin1"), /not UTF-8/);
  });
});

describe("jsonFaultIndex", () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  it("is the whole length for every beginning of a JSON list", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, cut) => {
        const text = `[${json}]`;
        const beginning = text.slice(0, cut % text.length);
        assert.equal(jsonFaultIndex(beginning), beginning.length);
      }),
    );
  });

  it("stands where no beginning up to there is at fault, and everything beyond is", () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom("}", "]", ",", ":", '"', "x", "1", "\n"),
        (json, place, insert) => {
          const position = place % (json.length + 1);
          const text = `[${json.slice(0, position)}${insert}${json.slice(position)}]`;
          fc.pre(!isJson(text));
          const index = jsonFaultIndex(text);
          const before = text.slice(0, index);
          assert.equal(jsonFaultIndex(before), before.length);
          if (index < text.length) assert.equal(jsonFaultIndex(`${text} and more`), index);
        },
      ),
    );
  });
});
