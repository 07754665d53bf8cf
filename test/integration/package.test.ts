/** What `npm run package` makes, installed in an empty folder as npm and pip do, without a network. */
import assert from "node:assert/strict";
import { type ExecFileException, execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { choosePython } from "../../ts/controller/worker-process.js";
import { packageRoot, version } from "../../ts/core/package.js";
import { makeProject, type Project, resultOf } from "./project.js";

const MAX_BYTES = 2_000_000;

const CONSUMER = `
import { CasslClient, type CocoResult, type Config, evaluateCoco, parseConfigText, toRunConfig } from "cassl";
import { iou, type Rle } from "cassl/masks";

export const detections: readonly CocoResult[] = [{ image_id: 1, category_id: 1, bbox: [0, 0, 1, 1], score: 1 }];
export const config = (text: string): Config => parseConfigText(text, "cassl.yaml");
export const runConfig = (text: string): object => toRunConfig(config(text));
export const ap = async (gt: string): Promise<number | undefined> => (await evaluateCoco(gt, "dt.json", {})).stats[0];
export const masks = (one: Rle): unknown => iou([one], [one], [false]);
// @ts-expect-error An address is text.
export const client = new CasslClient(7070);
`;

interface Ended {
  readonly code: number | null;
  readonly signal: null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("the packages", function () {
  this.timeout(300_000);
  const python = choosePython(undefined);
  let scratch: string;
  let out: string;
  /** The folder of a user's project, with cassl among its packages. */
  let home: string;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), "cassl-packages-"));
    [out, home] = [join(scratch, "out"), join(scratch, "home")];
    const made = await end(process.execPath, ["scripts/package.mjs", "--as-is", "--out", out], packageRoot);
    assert.equal(made.code, 0, made.stdout + made.stderr);
    await installTarball();
  });
  after(() => rm(scratch, { recursive: true, force: true }));

  /** As npm does, but with links to the packages that are installed here: those of production only. */
  async function installTarball(): Promise<void> {
    const modules = join(home, "node_modules");
    await mkdir(join(modules, ".bin"), { recursive: true });
    await writeFile(join(home, "package.json"), JSON.stringify({ name: "home", private: true, type: "module" }));
    assert.equal((await end("tar", ["xzf", join(out, `cassl-${version}.tgz`), "-C", modules], home)).code, 0);
    await promisify(execFile)("mv", [join(modules, "package"), join(modules, "cassl")]);
    const { dependencies } = JSON.parse(await readFile(join(modules, "cassl/package.json"), "utf8"));
    for (const name of Object.keys(dependencies)) {
      await mkdir(dirname(join(modules, name)), { recursive: true });
      await symlink(join(packageRoot, "node_modules", name), join(modules, name));
    }
    await symlink("../cassl/dist/ts/cli/main.js", join(modules, ".bin/cassl"));
    await chmod(join(modules, "cassl/dist/ts/cli/main.js"), 0o755);
  }

  const npx = (args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    end("npx", ["--no-install", "--offline", "cassl", ...args], cwd, env);

  it("are small, and hold nothing that is for development only", async () => {
    assert.ok((await stat(join(out, `cassl-${version}.tgz`))).size < MAX_BYTES);
    const files = await readdir(join(home, "node_modules/cassl"), { recursive: true });
    assert.deepEqual(
      files.filter((file) => /\.(map|pyc|tsbuildinfo)$|\.test\.|(^|\/)(test|scripts|page)(\/|$)|[^d]\.ts$/.test(file)),
      [],
    );
    for (const file of ["dashboard/assets/main.js", "evaluation/coco/masks.wasm", "gen/cassl/v1/run.js", "index.d.ts"])
      assert.ok(files.includes(`dist/ts/${file}`), file);
  });

  it("name the licences of what they are installed with", async () => {
    const notices = await readFile(join(home, "node_modules/cassl/dist/THIRD_PARTY_NOTICES.txt"), "utf8");
    assert.match(notices, /^zeromq \S+: MIT AND MPL-2\.0, https:/m);
    const bills = ["cassl.cdx.json", "cassl-worker.cdx.json"].map((name) => readFile(join(out, name), "utf8"));
    const [npm, pip] = (await Promise.all(bills)).map((text) => JSON.parse(text)) as Record<string, never>[];
    assert.deepEqual([npm?.["bomFormat"], pip?.["bomFormat"]], ["CycloneDX", "CycloneDX"]);
    const purls = (bill: Record<string, never> | undefined): string =>
      (bill?.["components"] as readonly { purl: string }[] | undefined)?.map(({ purl }) => purl).join("\n") ?? "";
    assert.match(purls(npm), /^pkg:npm\/zeromq@/m);
    assert.doesNotMatch(purls(npm), /^pkg:npm\/mocha@/m);
    assert.match(purls(pip), /^pkg:pypi\/torch@/m);
    assert.doesNotMatch(purls(pip), /^pkg:pypi\/(pytest|mypy)@/m);
  });

  it("give types to TypeScript", async () => {
    await writeFile(join(home, "consumer.ts"), CONSUMER);
    const compilerOptions = {
      module: "NodeNext",
      target: "ES2023",
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      types: [],
    };
    await writeFile(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
    const checked = await end(join(packageRoot, "node_modules/.bin/tsc"), ["-p", "."], home);
    assert.equal(checked.code, 0, checked.stdout);
  });

  it("run from a folder that holds nothing but a configuration and its data, with the backbone of the defaults", async () => {
    const project: Project = await makeProject();
    try {
      await symlink(join(home, "node_modules"), join(project.folder, "node_modules"));
      const shown = await npx(["--version"], project.folder);
      assert.equal(shown.stdout.trim(), version, shown.stderr);
      project.config.arms = ["supervised"];
      const { backbone, backbone_weights, ...detector } = project.config.detector;
      assert.deepEqual([backbone, backbone_weights], ["test_resnet", "none"]);
      project.config["detector"] = detector;
      await project.writeConfig();
      const ended = await npx(["run", "cassl.yaml"], project.folder, { CASSL_PYTHON: python });
      const { arms } = await resultOf({ ...ended, signal: null });
      assert.deepEqual(
        arms.map(({ arm }) => arm),
        ["supervised"],
      );
    } finally {
      await project.remove();
    }
  });

  it("say what installs the worker where its packages are missing", async () => {
    const bare = join(scratch, "bare");
    await promisify(execFile)(python, ["-m", "venv", "--without-pip", bare]);
    const doctor = await npx(["doctor"], home, { CASSL_PYTHON: join(bare, "bin/python") });
    assert.equal(doctor.code, 1);
    const source = join(home, "node_modules/cassl/worker-py");
    assert.ok(doctor.stdout.includes(`pip install '${source}[torch]'`), doctor.stdout);
  });

  it("have a worker of their version, as a wheel and as sources that make the same wheel", async () => {
    const [wheel, sdist] = [`cassl_worker-${version}-py3-none-any.whl`, `cassl_worker-${version}.tar.gz`];
    const pip = (target: string, file: string): Promise<Ended> => {
      const offline = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"];
      return end(python, ["-m", "pip", "install", "-q", ...offline, "--target", join(scratch, target), file], scratch);
    };
    for (const [target, file] of [
      ["of-wheel", join(out, wheel)],
      ["of-sdist", join(out, sdist)],
    ] as const) {
      const installed = await pip(target, file);
      assert.equal(installed.code, 0, installed.stderr);
      const script = join(scratch, target, "bin/cassl-worker");
      const shown = await end(script, ["--version"], scratch, { PYTHONPATH: join(scratch, target) });
      assert.equal(shown.stdout.trim(), version, shown.stderr);
    }
    const modules = async (target: string): Promise<readonly string[]> =>
      (await readdir(join(scratch, target), { recursive: true }))
        .filter((file) => /\.(py|pyi|typed)$/.test(file))
        .sort();
    assert.deepEqual(await modules("of-sdist"), await modules("of-wheel"));
    const metadata = join(scratch, "of-wheel", `cassl_worker-${version}.dist-info/METADATA`);
    const extras = Array.from(
      (await readFile(metadata, "utf8")).matchAll(/^Provides-Extra: (.*)$/gm),
      ([, name]) => name,
    );
    for (const extra of ["detectron2", "ssl", "torch"]) assert.ok(extras.includes(extra), extra);
  });
});

/** Of a program that ends; which code it ends with is for the caller. */
async function end(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  try {
    const outputs = await promisify(execFile)(command, args, { cwd, env: { ...process.env, NO_COLOR: "1", ...env } });
    return { code: 0, signal: null, ...outputs };
  } catch (error) {
    const { code, stdout, stderr } = error as ExecFileException & { stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { code, signal: null, stdout, stderr };
  }
}
