/** A process that runs a script of this folder, and is listened to line by line. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root, ScriptError } from "../tools.mjs";

/** `nextLine` throws if the process has ended instead. */
export function startScript(script, args) {
  const child = spawn(process.execPath, [join(root, "scripts/bench", script), ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const { value, done } = await lines.next();
    if (done) throw new ScriptError(`${script} has ended.`);
    return value;
  };
  return { child, nextLine };
}
