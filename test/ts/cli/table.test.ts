import assert from "node:assert/strict";
import { resultTable, textTable } from "../../../ts/cli/table.js";
import { exampleResult } from "../report/example.js";

describe("table", () => {
  it("has its first column flush left and the others right", () => {
    assert.equal(
      textTable({
        header: ["arm", "AP"],
        rows: [
          ["a", "1.0"],
          ["longer", "10.0"],
        ],
      }),
      "arm       AP\na        1.0\nlonger  10.0",
    );
  });

  it("shows each arm with its budget, and then what may be said", () => {
    assert.equal(
      resultTable(exampleResult),
      [
        "arm             labeled images  iterations    AP  AP50  AP75  class-agnostic AP",
        "supervised          20 (6.8 %)         900  41.2  61.2  31.2               46.2",
        "class_agnostic      20 (6.8 %)         900  44.7  64.7  34.7               49.7",
        "",
        "class_agnostic is 3.5 AP above supervised at the same total of 900 iterations, one seed: no interval over seeds.",
      ].join("\n"),
    );
  });
});
