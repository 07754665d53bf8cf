/**
 * The conformance suite and what else tests the backend detectron2, with a Python that can import it. The last line is
 * `N passed, N failed`.
 *
 *     npm run test:detectron2
 *     PYTHONPATH=/sources/of/detectron2 npm run test:detectron2
 */
import { delimiter } from "node:path";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { capture, main, ScriptError, venvBin } from "./tools.mjs";

const TESTS = [
  "test/py/detectors/test_conformance.py",
  "test/py/detectors/test_detectron2.py",
  "test/py/detectors/test_detectron2_configured.py",
  "test/py/detectors/test_detectron2_mapper.py",
];
const PYTEST = ["-q", "-c", "worker-py/pyproject.toml", "--rootdir=.", "-k", "detectron2"];

await main(import.meta.url, async () => {
  await setUpDependencies();
  await compile();
  const env = { PYTHONPATH: ["worker-py", process.env.PYTHONPATH].filter(Boolean).join(delimiter) };
  const probe = await capture(venvBin("python"), ["-m", "cassl_worker.detectron2_probe"], { env });
  const { install, found } = JSON.parse(probe.output);
  if (found === null) throw new ScriptError(`detectron2 is not installed. ${install}`);
  if (found.fault !== "") throw new ScriptError(`detectron2 cannot be imported: ${found.fault}. ${install}`);
  console.log(`detectron2 ${found.version}, ${found.file}, ${found.has_extension ? "with" : "without"} _C`);
  const { status, output } = await capture(venvBin("pytest"), [...PYTEST, ...TESTS], { env });
  console.log(output.trimEnd());
  const count = (outcome) => Number(new RegExp(`(\\d+) ${outcome}`).exec(output)?.[1] ?? 0);
  console.log(`${count("passed")} passed, ${Math.max(count("failed") + count("error"), status === 0 ? 0 : 1)} failed`);
  process.exitCode = status === 0 ? 0 : 1;
});
