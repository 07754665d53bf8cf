/**
 * Generates code from proto/: TypeScript and descriptors in ts/gen, Python in worker-py/cassl.
 *
 *     npm run gen
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { filesUnder, hashFiles, main, nodeBin, root, run, step, venvBin } from "./tools.mjs";

/** Does nothing if the generated code belongs to the present protos and settings. */
export async function generate() {
  const protos = filesUnder("proto", ".proto");
  const settings = ["buf.yaml", "buf.gen.yaml", "package-lock.json", "worker-py/pyproject.toml", "scripts/gen.mjs"];
  await step("Generate code from proto/", "ts/gen/.stamp", hashFiles([...protos, ...settings]), async () => {
    for (const folder of ["ts/gen", "worker-py/cassl"]) rmSync(join(root, folder), { recursive: true, force: true });
    await run(nodeBin("buf"), ["generate"]);
    await run(nodeBin("buf"), ["build", "-o", "ts/gen/descriptors.binpb"]);
    const outputs = ["--python_out", "--pyi_out", "--grpc_python_out"].map((flag) => `${flag}=worker-py`);
    // The standard ones come with googleapis-common-protos.
    const own = protos.filter((path) => path.startsWith("proto/cassl/"));
    await run(venvBin("python"), ["-m", "grpc_tools.protoc", "-Iproto", ...outputs, ...own]);
  });
}

await main(import.meta.url, generate);
