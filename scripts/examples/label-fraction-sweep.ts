/**
 * How much do labels help? One run for each number of labeled images; each has the same images without labels.
 *
 *     node dist/scripts/examples/label-fraction-sweep.js cassl.yaml 10 20 50
 *
 * The controller is the one that CASSL_CONTROLLER names. A run that is there already is not done again.
 */
import { readFileSync } from "node:fs";
import { CasslClient, parseConfigText, toRunConfig } from "cassl";

const [file = "cassl.yaml", ...counts] = process.argv.slice(2);
const config = parseConfigText(readFileSync(file, "utf8"), file);
const client = new CasslClient(process.env["CASSL_CONTROLLER"] ?? "127.0.0.1:7070");

console.log(["labeled", ...config.arms].join("\t"));
for (const take of counts.map(Number)) {
  const labeled = { ...config.data.labeled, take };
  const runId = `${config.name}-${take}-labels`;
  await client.createRun(runId, toRunConfig({ ...config, data: { ...config.data, labeled } }));
  const { arms } = await client.resultOf(runId);
  console.log([take, ...arms.map(({ ap }) => (100 * ap).toFixed(1))].join("\t"));
}
client.close();
