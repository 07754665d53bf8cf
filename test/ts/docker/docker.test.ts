/** docker/: no container engine runs here, so what the files name is held against what there is. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { parse, parseAllDocuments } from "yaml";
import { addHealth } from "../../../ts/cli/health.js";
import { addServe } from "../../../ts/cli/serve.js";
import { choosePython } from "../../../ts/controller/worker-process.js";
import { packageRoot, version, workerEnvironment } from "../../../ts/core/package.js";

interface Service {
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly command: readonly string[];
  readonly volumes: readonly string[];
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
}

interface Workload {
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly Container[];
        readonly initContainers?: readonly Container[];
        readonly securityContext: Readonly<Record<string, unknown>>;
      };
    };
  };
}

const IMAGES = ["controller", "worker"] as const;
const run = promisify(execFile);
const at = (file: string): string => join(packageRoot, "docker", file);
const read = (file: string): string => readFileSync(at(file), "utf8");

/** What `npm run package` leaves in dist/packages. */
const PACKAGES = [
  `cassl-${version}.tgz`,
  `cassl_worker-${version}-py3-none-any.whl`,
  `cassl_worker-${version}.tar.gz`,
  "cassl.cdx.json",
  "cassl-worker.cdx.json",
  "cassl-worker.THIRD_PARTY_NOTICES.txt",
];

describe("docker/", function () {
  this.timeout(60_000);
  const { services } = parse(read("compose.yaml"), { merge: true }) as { services: Record<string, Service> };
  const { controller } = services;
  const workloads = parseAllDocuments(read("kubernetes.yaml"))
    .map((document) => document.toJS() as Workload)
    .filter(({ kind }) => kind === "StatefulSet" || kind === "Deployment");
  const pods = workloads.map(({ spec }) => spec.template.spec);
  const kubernetesArgs = (name: string): readonly string[] =>
    pods.flatMap(({ containers }) => containers).find((container) => container.name === name)?.args ?? [];

  /** Sources of COPY and ADD that are of the build context. */
  const sources = (image: string): string[] =>
    Array.from(read(`${image}.Dockerfile`).matchAll(/^(?:COPY|ADD) (?!--from)(.*)$/gm), ([, words = ""]) =>
      words.split(" ").slice(0, -1),
    ).flat();

  const matches = (pattern: string, name: string): boolean =>
    new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(name);

  it("copies files that are there, or of which `npm run package` makes one", async () => {
    const files = [...(await readdir(packageRoot)), ...PACKAGES.map((name) => `dist/packages/${name}`)];
    for (const source of IMAGES.flatMap(sources))
      assert.equal(files.filter((file) => matches(source, file)).length, 1, source);
  });

  it("lets into the build what is copied, and nothing else", () => {
    for (const image of IMAGES) {
      const [first, ...allowed] = read(`${image}.Dockerfile.dockerignore`).trim().split("\n");
      const needed = sources(image).map((source) => source.replace(/^dist\/packages\/.*/, "dist/packages"));
      assert.equal(first, "*");
      assert.deepEqual(allowed, [...new Set(needed)].map((path) => `!${path}`).sort());
    }
  });

  it("starts what the packages have as commands", () => {
    const { bin } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { bin: { cassl: string } };
    assert.ok(read("controller.Dockerfile").includes(`/cassl/${bin.cassl} /usr/local/bin/cassl`));
    assert.match(readFileSync(join(packageRoot, "worker-py/pyproject.toml"), "utf8"), /^cassl-worker = /m);
    for (const [image, command] of [
      ["controller", "cassl"],
      ["worker", "cassl-worker"],
    ])
      assert.ok(read(`${image}.Dockerfile`).includes(`\nENTRYPOINT ["${command}"]\n`), image);
  });

  it("gives the controller options that it has, the same in compose and Kubernetes", () => {
    const program = new Command();
    addServe(program);
    addHealth(program);
    const [serve, health] = program.commands;
    const known = serve?.options.map(({ long }) => long);
    const flags = (args: readonly string[]): string[] => args.map((arg) => arg.replace(/^(--data-root)=.*/, "$1"));
    assert.deepEqual(flags(controller?.command ?? []), flags(kubernetesArgs("controller")));
    for (const flag of flags(controller?.command ?? []).slice(1)) assert.ok(known?.includes(flag.split("=")[0]), flag);
    assert.equal(controller?.command[0], serve?.name());
    assert.ok(read("controller.Dockerfile").includes(`CMD ["cassl", "${health?.name()}"]`));
  });

  it("gives workers options that they have", async () => {
    const shown = await run(choosePython(undefined), ["-m", "cassl_worker", "--help"], { env: workerEnvironment() });
    const given = [...(services["worker-1"]?.command ?? []), ...kubernetesArgs("worker")];
    const flags = given.filter((arg) => arg.startsWith("--")).map((arg) => arg.split("=")[0] ?? "");
    assert.ok(flags.length > 0);
    for (const flag of flags) assert.ok(shown.stdout.includes(flag), flag);
  });

  it("runs nothing as root, and nothing that can write to its root file system or gain rights", () => {
    for (const image of IMAGES) assert.match(read(`${image}.Dockerfile`), /^USER 1000$(?!.*^(USER|RUN) )/ms);
    for (const { user, read_only, cap_drop, security_opt } of Object.values(services)) {
      assert.match(user, /CASSL_USER/);
      assert.deepEqual([read_only, cap_drop, security_opt], [true, ["ALL"], ["no-new-privileges:true"]]);
    }
    for (const { securityContext, containers, initContainers = [] } of pods) {
      assert.deepEqual([securityContext["runAsNonRoot"], securityContext["runAsUser"]], [true, 1000]);
      for (const container of [...containers, ...initContainers])
        assert.deepEqual(container.securityContext, {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
        });
    }
  });

  it("gives workers neither the controller's key nor the tokens of clients", () => {
    for (const name of ["worker-1", "worker-2"]) {
      const keys = services[name]?.volumes
        .filter((volume) => volume.includes("/keys"))
        .map((volume) => volume.split(":")[1]);
      assert.deepEqual(keys, ["/keys/cert.pem", "/keys/worker.token"]);
    }
  });

  describe("setup.sh", () => {
    let folder: string;
    let lab: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "cassl-docker-"));
      lab = join(folder, "lab");
      await setUp("lab.example", "10.0.0.7");
    });
    after(() => rm(folder, { recursive: true }));

    const setUp = (...names: string[]) => {
      const env = { ...process.env, CASSL: `${process.execPath} ${join(packageRoot, "dist/ts/cli/main.js")}` };
      return run(at("setup.sh"), [lab, folder, ...names], { env });
    };

    it("makes a certificate for all names of the controller", async () => {
      const { stdout } = await run("openssl", ["x509", "-in", join(lab, "keys/cert.pem"), "-noout", "-text"]);
      for (const name of ["DNS:localhost", "DNS:controller", "DNS:lab.example", "IP Address:10.0.0.7"])
        assert.ok(stdout.includes(name), name);
    });

    it("makes keys and tokens that only their owner can read", async () => {
      const files = await readdir(join(lab, "keys"));
      assert.deepEqual(files.sort(), ["cert.pem", "client.token", "key.pem", "tokens", "worker.token"]);
      for (const file of files) assert.equal((await stat(join(lab, "keys", file))).mode & 0o077, 0, file);
    });

    it("writes all that compose asks for, and no root", async () => {
      const text = await readFile(join(lab, ".env"), "utf8");
      const set = text
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split("=")[0]);
      const asked = Array.from(read("compose.yaml").matchAll(/\$\{(\w+)/g), ([, name]) => name);
      assert.deepEqual([...new Set(set)].sort(), [...new Set(asked)].sort());
      assert.doesNotMatch(text, /^CASSL_USER=0:/m);
    });

    it("overwrites nothing", async () => {
      const before = await readFile(join(lab, "keys/tokens"), "utf8");
      await assert.rejects(setUp(), { code: 2, stderr: /is there already/ });
      assert.equal(await readFile(join(lab, "keys/tokens"), "utf8"), before);
    });
  });
});
