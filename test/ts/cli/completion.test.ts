import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { allNodes, type CommandNode, commandTree } from "../../../ts/cli/command-tree.js";
import { completionScript, SHELLS } from "../../../ts/cli/completion-scripts.js";
import { loadedProgram } from "./parse-only.js";

const run = promisify(execFile);

async function isInstalled(shell: string): Promise<boolean> {
  return run(shell, ["-c", "true"]).then(
    () => true,
    () => false,
  );
}

describe("shell completion", () => {
  let root: CommandNode;
  before(async () => {
    root = commandTree(await loadedProgram());
  });

  /** What bash offers for the last word. */
  async function offered(...words: string[]): Promise<string[]> {
    const script = `${completionScript("bash", root)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cassl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run("bash", ["-c", script, "bash", "cassl", ...words]);
    return stdout.split("\n").filter(Boolean);
  }

  for (const shell of SHELLS) {
    it(`is a script that ${shell} takes`, async function () {
      if (!(await isInstalled(shell))) {
        console.log(`skipped: ${shell} is not installed`);
        this.skip();
      }
      await run(shell, ["-n", "-c", completionScript(shell, root)]);
    });
  }

  it("offers commands, and those below them", async () => {
    assert.deepEqual(await offered("ca"), ["cancel"]);
    assert.deepEqual(await offered("labels", "ex"), ["export"]);
  });

  it("offers the options of the command", async () => {
    assert.deepEqual(await offered("run", "--o"), ["--override-gate"]);
    assert.deepEqual(await offered("labels", "export", "--to"), ["--to"]);
    assert.ok((await offered("run", "--")).includes("--webhook"));
  });

  it("offers the values of options that have choices, and leaves files to the shell", async () => {
    assert.deepEqual(await offered("convert", "a", "b", "--to", ""), ["coco", "yolo", "voc"]);
    assert.deepEqual(await offered("completion", ""), [...SHELLS]);
    assert.deepEqual(await offered("run", "--workspace", ""), []);
  });

  it("offers the same in fish", async function () {
    if (!(await isInstalled("fish"))) {
      console.log("skipped: fish is not installed");
      this.skip();
    }
    const asked = ["ca", "labels ex", "run --o", "convert a b --to ", "completion "];
    const questions = asked.map((words) => `complete -C 'cassl ${words}' | string match -r '^[^\\t]+'`);
    const { stdout } = await run("fish", [
      "--no-config",
      "-c",
      [completionScript("fish", root), ...questions].join("\n"),
    ]);
    const wanted = ["cancel", "export", "--override-gate", "coco", "voc", "yolo", "bash", "fish", "zsh"];
    assert.deepEqual(stdout.trim().split("\n"), wanted);
  });

  it("has every command and every option in all shells", () => {
    for (const shell of SHELLS) {
      const script = completionScript(shell, root);
      const flag = (long = ""): string => (shell === "fish" ? ` -l ${long.slice(2)} ` : long);
      for (const { path, options } of allNodes(root).slice(1)) {
        const name = { bash: `'${path.join(" ")}')`, zsh: `_cassl_${path.join("_")}()`, fish: ` -a ${path.at(-1)} ` }[
          shell
        ];
        assert.ok(script.includes(name), `${shell}: ${path.join(" ")}`);
        for (const { long } of options) assert.ok(script.includes(flag(long)), `${shell}: ${path.join(" ")} ${long}`);
      }
    }
  });
});
