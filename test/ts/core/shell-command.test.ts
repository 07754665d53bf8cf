import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { shellCommand } from "../../../ts/core/shell-command.js";

describe("a shell command", () => {
  it("is as one would write it where no word needs quotes", () => {
    const words = ["cassl", "compare", "cells/cassl.yaml", "--set", "seed=1", "--arms", "supervised,class_agnostic"];
    assert.equal(shellCommand(words), words.join(" "));
  });

  it("is read back by a shell as it was", () => {
    const words = ["a b", "", "it's", 'say "so"', "$HOME", "`id`", "[1, 2]", "a\nb", "*", "ü", "\\"];
    const print = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";
    const command = shellCommand([process.execPath, "-e", print, "--", ...words]);
    assert.deepEqual(JSON.parse(execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" })), words);
  });
});
