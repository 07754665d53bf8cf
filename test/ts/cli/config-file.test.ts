import assert from "node:assert/strict";
import { parse } from "yaml";
import { withOverrides } from "../../../ts/cli/config-file.js";
import { CasslError } from "../../../ts/core/errors.js";

const TEXT = "name: a # kept\nstages:\n  finetune: { solver: { iterations: 4 } }\narms: [supervised]\n";

describe("overrides", () => {
  it("replace a value, add a missing path, and read the value as YAML", () => {
    const text = withOverrides(TEXT, [
      { key: "stages.finetune.solver.iterations", value: "300" },
      { key: "stages.warmup.solver.iterations", value: "5" },
      { key: "arms", value: "[supervised, class_agnostic]" },
      { key: "arms.1", value: "class_specific" },
    ]);
    assert.deepEqual(parse(text), {
      name: "a",
      stages: { finetune: { solver: { iterations: 300 } }, warmup: { solver: { iterations: 5 } } },
      arms: ["supervised", "class_specific"],
    });
  });

  it("leave the text alone where there are none, and where it is no YAML", () => {
    assert.equal(withOverrides(TEXT, []), TEXT);
    assert.equal(withOverrides("a: [", [{ key: "a", value: "1" }]), "a: [");
  });

  it("are refused where they lead through a value", () => {
    const isRefusal = (error: unknown): boolean =>
      error instanceof CasslError && error.reason === "CONFIG_INVALID" && error.message.includes("name.first=1");
    assert.throws(() => withOverrides(TEXT, [{ key: "name.first", value: "1" }]), isRefusal);
  });
});
