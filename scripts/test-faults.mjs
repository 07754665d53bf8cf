/**
 * The fault tests at length: hundreds of `kill -9` at random moments, and every other fault once. The last line is
 * `N passed, N failed`.
 *
 *     npm run test:faults
 *     npm run test:faults -- --kills 500 --seed 7
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { filesUnder, main, nodeBin, root, ScriptError } from "./tools.mjs";

const options = { kills: { type: "string", default: "200" }, seed: { type: "string", default: "1" } };

await main(import.meta.url, async () => {
  const { kills, seed } = parseArgs({ options }).values;
  if (![kills, seed].every((number) => /^[1-9]\d{0,5}$/.test(number)))
    throw new ScriptError("--kills and --seed take whole numbers from 1.");
  await setUpDependencies();
  await compile();
  const env = { ...process.env, CASSL_FAULT_KILLS: kills, CASSL_FAULT_SEED: seed };
  const files = filesUnder("dist/test/faults", ".test.js").map((file) => join(root, file));
  const mocha = spawn(nodeBin("mocha"), files, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  mocha.stdout.on("data", (chunk) => {
    process.stdout.write(chunk);
    output += chunk;
  });
  const [status] = await once(mocha, "close");
  const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(output)?.[1] ?? 0);
  console.log(`${count("passing")} passed, ${Math.max(count("failing"), status === 0 ? 0 : 1)} failed`);
  process.exitCode = status === 0 ? 0 : 1;
});
