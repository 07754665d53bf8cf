/** The reference: what of the documentation is made from the sources, never written by hand. */

import { commandTree } from "../../ts/cli/command-tree.js";
import { addCommands } from "../../ts/cli/commands.js";
import { createProgram } from "../../ts/cli/program.js";
import { configJsonSchema } from "../../ts/pipeline/config.js";
import { cliReference } from "./cli-reference.js";
import { configurationReference } from "./configuration-reference.js";
import { errorReference } from "./error-reference.js";
import { protocolReference } from "./protocol-reference.js";

/**
 * Markdown by the name of its file.
 * @param sources paths of the files that may raise an error, relative to the repository.
 */
export async function referencePages(sources: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const program = createProgram();
  await addCommands(program, []);
  return new Map([
    ["commands.md", cliReference(commandTree(program))],
    ["configuration.md", configurationReference(configJsonSchema())],
    ["errors.md", errorReference(sources)],
    ["protocol.md", protocolReference()],
  ]);
}
