import assert from "node:assert/strict";
import { Command } from "commander";
import { addCommands, COMMANDS } from "../../../ts/cli/commands.js";

async function namesOf(args: readonly string[]): Promise<string[]> {
  const program = new Command();
  await addCommands(program, args);
  return program.commands.map((command) => command.name());
}

describe("commands by name", () => {
  it("has each command under its own name", async () => {
    for (const name of COMMANDS.keys()) {
      if (name !== "completion") assert.deepEqual(await namesOf([name]), [name]);
    }
  });

  it("adds all commands where none of them comes first", async () => {
    for (const args of [[], ["--help"], ["completion"], ["constructor"], ["--debug", "run"]]) {
      assert.deepEqual(await namesOf(args), [...COMMANDS.keys()]);
    }
  });
});
