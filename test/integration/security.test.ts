/** A controller behind TLS and tokens, and real workers and commands that reach it: the set-up of docs/security.md. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { choosePython } from "../../ts/controller/worker-process.js";
import { packageRoot } from "../../ts/core/package.js";
import { makeAuthority } from "../ts/controller/access/certificates.js";
import { cassl, makeProject, type Project, type Running, resultOf } from "./project.js";

describe("a controller behind TLS and tokens", function () {
  this.timeout(300_000);
  let keys: string;
  let project: Project;
  let server: Running;
  let address: string;
  const at = (name: string): string => join(keys, name);

  before(async () => {
    keys = await mkdtemp(join(tmpdir(), "cassl-keys-"));
    project = await makeProject();
    // Which needs predictions, and so the port of the frames.
    project.config.arms = ["class_agnostic"];
    await project.writeConfig();
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-subj", "/CN=cassl"];
    const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    await promisify(execFile)("openssl", [...request, ...names, "-keyout", at("key.pem"), "-out", at("cert.pem")]);
    for (const role of ["worker", "client"]) {
      const made = await cassl([
        "token",
        "create",
        "--role",
        role,
        "--tokens",
        at("tokens"),
        "--out",
        at(`${role}.token`),
      ]).finished;
      assert.equal(made.code, 0, made.stderr);
    }
    const tls = ["--tls-cert", at("cert.pem"), "--tls-key", at("key.pem"), "--tokens", at("tokens")];
    const place = ["--listen", "0.0.0.0:0", "--workers", "0", "--workspace", project.workspace];
    server = cassl(["serve", ...place, ...tls, "--data-root", project.folder]);
    const line = await server.line((line) => /0\.0\.0\.0:\d+/.test(line));
    address = `localhost:${/0\.0\.0\.0:(\d+)/.exec(line)?.[1]}`;
  });
  after(async () => {
    server.child.kill("SIGTERM");
    await server.finished;
    await project.remove();
    await rm(keys, { recursive: true });
  });

  interface WorkerEnd {
    readonly code: number | null;
    readonly said: string;
  }

  const worker = (...args: string[]): { end: Promise<WorkerEnd>; stop(): void } => {
    const pythonPath = [join(packageRoot, "worker-py"), process.env["PYTHONPATH"]].filter(Boolean).join(delimiter);
    const child = spawn(choosePython(undefined), ["-m", "cassl_worker", "--controller", address, ...args], {
      env: { ...process.env, PYTHONPATH: pythonPath },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const end = new Promise<WorkerEnd>((resolve) => child.on("close", (code) => resolve({ code, said })));
    return { end, stop: () => void child.kill("SIGTERM") };
  };
  const asClient = ["--tls-ca", "cert.pem", "--token-file", "client.token"];
  const flags = (given: readonly string[]): string[] => given.map((flag) => (flag.includes(".") ? at(flag) : flag));
  const client = (...args: string[]) => cassl([...args, "--controller", address, ...flags(asClient)]).finished;

  it("does a run that is submitted from elsewhere, on a worker that attached from elsewhere", async () => {
    const attached = worker(...flags(["--tls-ca", "cert.pem", "--token-file", "worker.token"]));
    const submitted = await client("submit", project.configFile, "--run-id", "first", "--watch");
    assert.equal((await resultOf(submitted)).run, "first");
    attached.stop();
    await attached.end;
  });

  it("says why it does not let a worker in, and the worker ends", async () => {
    const stranger = await makeAuthority(keys, "stranger");
    const refusals: [string[], RegExp][] = [
      [["--tls-ca", stranger.cert, ...flags(["--token-file", "worker.token"])], /TLS_FAILED: .*no authority.*--tls-ca/],
      [flags(["--tls-ca", "cert.pem"]), /UNAUTHENTICATED: .*no token.*--token-file/],
      [
        flags(["--tls-ca", "cert.pem", "--token-file", "client.token"]),
        /PERMISSION_DENIED: .*role client.*role worker/,
      ],
      [flags(["--tls-ca", "cert.pem", "--token-file", "cert.pem"]), /CONFIG_INVALID: .*mode is 644.*chmod 600/],
    ];
    for (const [given, words] of refusals) {
      const { code, said } = await worker(...given).end;
      assert.match(said, words);
      assert.equal(code, 2);
    }
  });

  it("says why it does not let a command in, without showing the token", async () => {
    const bare = await cassl(["runs", "--controller", address, "--tls-ca", at("cert.pem")]).finished;
    assert.match(bare.stderr, /no token[\s\S]*cassl token create/);
    const wrong = await cassl(["runs", "--controller", address, "--tls-ca", at("cert.pem")], {
      CASSL_TOKEN: "secret-7",
    }).finished;
    assert.match(wrong.stderr, /none of this controller's/);
    assert.doesNotMatch(wrong.stderr + wrong.stdout, /secret-7/);
    const plain = await cassl(["runs", "--controller", address]).finished;
    assert.match(plain.stderr, /--tls-ca/);
  });

  it("refuses to listen where others reach it, without all of that", async () => {
    const refused = await cassl(["serve", "--listen", "0.0.0.0:0", "--workspace", at("other")]).finished;
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--tls-cert and --tls-key, --tokens, --data-root/);
  });
});
