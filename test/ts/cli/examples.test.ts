import assert from "node:assert/strict";
import { allNodes, commandTree } from "../../../ts/cli/command-tree.js";
import { EXAMPLES } from "../../../ts/cli/examples.js";
import { loadedProgram, parseOnly, wordsOf } from "./parse-only.js";

describe("examples of --help", function () {
  // The first to load all commands waits for the disk.
  this.timeout(60_000);

  it("are there for every command, and for no other", async () => {
    const commands = allNodes(commandTree(await loadedProgram())).filter(
      ({ path, children }) => path.length > 0 && children.length === 0,
    );
    assert.deepEqual(Object.keys(EXAMPLES).sort(), commands.map(({ path }) => path.join(" ")).sort());
  });

  it("are shown", async () => {
    const program = await loadedProgram();
    const run = program.commands.find((command) => command.name() === "run");
    let help = "";
    run?.configureOutput({ writeOut: (text) => (help += text) });
    run?.outputHelp();
    assert.match(help, /\nExamples:\n {2}cassl run cassl\.yaml\n/);
  });

  for (const [path, examples] of Object.entries(EXAMPLES)) {
    it(`of ${path} parse`, async () => {
      for (const example of examples) {
        assert.deepEqual(wordsOf(example).slice(0, 1 + path.split(" ").length), ["cassl", ...path.split(" ")]);
        await parseOnly(example);
      }
    });
  }

  it("would be refused with an option that is none, or without an argument", async () => {
    await assert.rejects(parseOnly("cassl run cassl.yaml --wrkspace x"), /unknown option '--wrkspace'/);
    await assert.rejects(parseOnly("cassl run"), /missing required argument 'config'/);
    await assert.rejects(parseOnly("cassl rnu"), /unknown command 'rnu'/);
  });
});
