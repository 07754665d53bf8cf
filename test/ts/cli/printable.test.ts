import assert from "node:assert/strict";
import fc from "fast-check";
import { printable, wrapped } from "../../../ts/cli/printable.js";

describe("text for a terminal", () => {
  it("shows control characters and turned text instead of obeying them", () => {
    assert.equal(printable("a\x1b]0;title\x07b\r\u202ec"), "a\\x1b]0;title\\x07b\\x0d\\u202ec");
  });

  it("keeps letters of all scripts, tabs and line feeds", () => {
    const text = "Zebra\tÄpfel\n\u732b";
    assert.equal(printable(text), text);
  });

  it("breaks between words, and indents what follows", () => {
    assert.deepEqual(wrapped("gate failed: too few boxes", 16, 2), ["gate failed:", "  too few boxes"]);
  });

  it("loses nothing by it, and fits where words do", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 }),
        fc.integer({ min: 16, max: 40 }),
        (words, width) => {
          const lines = wrapped(words.join(" "), width, 4);
          assert.deepEqual(lines.join(" ").split(/\s+/).filter(Boolean), words);
          for (const line of lines) assert.ok(line.length < width, line);
        },
      ),
    );
  });
});
