import { rm, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { ROLES, type Role } from "../controller/access/rules.js";
import { addToken, createToken } from "../controller/access/tokens.js";
import { toStorageError } from "../controller/storage.js";
import { CasslError } from "../core/errors.js";
import { jsonOption } from "./options.js";

interface CreateOptions {
  readonly role: Role;
  readonly name?: string;
  readonly tokens: string;
  readonly out?: string;
  readonly json?: true;
}

export function addTokenCommands(program: Command): void {
  program
    .command("token")
    .description("Tokens for a controller that other machines reach.")
    .command("create")
    .description(
      "Make a token. The controller is given its hash only; a controller that runs takes it at its next start.",
    )
    .addOption(new Option("--role <role>", "what it allows").choices(ROLES).makeOptionMandatory())
    .option("--name <name>", "what error messages call it (default: the role)")
    .option("--tokens <file>", "file of `cassl serve --tokens`, to which it is added", "tokens")
    .option("--out <file>", "file for the token, readable by its owner alone (default: standard output)")
    .addOption(jsonOption())
    .action(create);
}

async function create({ role, name = role, tokens, out, json }: CreateOptions): Promise<void> {
  const { token, record } = createToken(role, name);
  if (out !== undefined) await writeToken(out, token);
  try {
    await addToken(tokens, record);
  } catch (error) {
    // No controller will know it, and the next try would stop at its file.
    if (out !== undefined) await rm(out, { force: true });
    throw toStorageError(error, `The token cannot be added to ${tokens}`);
  }
  const shown = out === undefined ? { token } : { token_file: out };
  if (json) console.log(JSON.stringify({ role, name, tokens, ...shown }));
  else console.log(out ?? token);
}

/** A file that is there is not overwritten: it may be a token that is in use. */
async function writeToken(file: string, token: string): Promise<void> {
  try {
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const message = `The token cannot be written to ${file}: ${(error as Error).message}.`;
    throw new CasslError("STORAGE_FAILED", message, "Name a file that is not there, in a folder that is.", {
      cause: error,
    });
  }
}
