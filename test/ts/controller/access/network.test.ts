/** A controller that other machines reach: TLS, tokens, roles and data roots over the wire. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { CasslClient } from "../../../../ts/client/client.js";
import type { ConnectionOptions } from "../../../../ts/client/connection.js";
import type { AccessOptions } from "../../../../ts/controller/access/access.js";
import type { Role } from "../../../../ts/controller/access/rules.js";
import { addToken, createToken } from "../../../../ts/controller/access/tokens.js";
import { type Controller, startController } from "../../../../ts/controller/controller.js";
import type { DataConfig, LabeledConfig, RunConfig } from "../../../../ts/gen/cassl/v1/run.js";
import { readClientTls } from "../../../../ts/grpc/tls.js";
import { makeCellsProject } from "../cells-project.js";
import { makeFolder } from "../workbench.js";
import { makeAuthority, type Pair, sign } from "./certificates.js";

describe("a controller that other machines reach", () => {
  let folder: string;
  let authority: Pair;
  let server: Pair;
  let tokens: Record<Role, string>;
  let access: AccessOptions;
  let controller: Controller | undefined;
  const clients: CasslClient[] = [];

  before(async () => {
    folder = await makeFolder();
    authority = await makeAuthority(folder, "authority");
    server = await sign(folder, authority, "server");
    const file = join(folder, "tokens");
    const entries = await Promise.all(
      (["client", "worker", "read-only"] as const).map(async (role) => {
        const { token, record } = createToken(role, `a-${role}`);
        await addToken(file, record);
        return [role, token];
      }),
    );
    tokens = Object.fromEntries(entries) as Record<Role, string>;
    access = { tls: server, tokens: file, dataRoots: [folder] };
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await controller?.stop();
    controller = undefined;
  });
  after(() => rm(folder, { recursive: true }));

  const start = async (options: AccessOptions = access, more = {}): Promise<number> => {
    const workspace = join(folder, ".cassl");
    const basics = { workspace, host: "0.0.0.0", port: 0, childWorkers: 0, recover: "fail" } as const;
    controller = await startController({ ...basics, access: options, ...more });
    return Number(controller.address.split(":")[1]);
  };
  const client = (address: string, options: ConnectionOptions): CasslClient => {
    clients.push(new CasslClient(address, options));
    return clients.at(-1) as CasslClient;
  };
  const trusting = (ca: Pair, own?: Pair) => readClientTls({ ca: ca.cert, cert: own?.cert, key: own?.key });
  const as = async (role: Role, port: number): Promise<CasslClient> =>
    client(`127.0.0.1:${port}`, { token: tokens[role], tls: await trusting(authority) });

  for (const missing of ["tls", "tokens", "dataRoots"] as const) {
    it(`does not start without ${missing}`, async () => {
      const option = { tls: /--tls-cert and --tls-key/, tokens: /--tokens/, dataRoots: /--data-root/ }[missing];
      const starting = start({ ...access, [missing]: undefined });
      await assert.rejects(starting, { reason: "CONFIG_INVALID", message: option, remedy: /127\.0\.0\.1/ });
    });
  }

  it("does not start with a key that others can read, that belongs to another certificate, or a certificate that has expired", async () => {
    const other = await sign(folder, authority, "other");
    const expired = await sign(folder, authority, "expired", "IP:127.0.0.1", -1);
    const mixed = { cert: server.cert, key: other.key };
    await assert.rejects(start({ ...access, tls: mixed }), { reason: "CONFIG_INVALID", message: /server\.pem/ });
    await assert.rejects(start({ ...access, tls: expired }), { reason: "CONFIG_INVALID", message: /expired on/ });
    await chmod(other.key, 0o644);
    await assert.rejects(start({ ...access, tls: other }), { reason: "CONFIG_INVALID", remedy: /chmod 600/ });
  });

  it("lets each role do what it may, and nobody else anything", async () => {
    const port = await start();
    const project = join(folder, "roles");
    await mkdir(project);
    const config = await makeCellsProject(project);
    assert.deepEqual(await (await as("read-only", port)).listRuns(), []);
    await assert.rejects((await as("read-only", port)).createRun("a", config), { reason: "PERMISSION_DENIED" });
    await assert.rejects((await as("worker", port)).listRuns(), { reason: "PERMISSION_DENIED" });
    const nobody = client(`127.0.0.1:${port}`, { tls: await trusting(authority) });
    await assert.rejects(nobody.listRuns(), { reason: "UNAUTHENTICATED", remedy: /--token-file/ });
    const stranger = client(`127.0.0.1:${port}`, { token: "guessed", tls: await trusting(authority) });
    await assert.rejects(stranger.watchRun("a")[Symbol.asyncIterator]().next(), { reason: "UNAUTHENTICATED" });
  });

  it("takes runs whose data is in its roots, and no others", async () => {
    const port = await start();
    const ann = await as("client", port);
    const project = join(folder, "project");
    await mkdir(project);
    const config = await makeCellsProject(project);
    assert.equal((await ann.createRun("inside", config)).run_id, "inside");
    const outside: [string, RunConfig][] = [
      ["annotations", withLabeled(config, { annotations: "/etc/passwd" })],
      ["images", withLabeled(config, { images: "/etc" })],
      ["split", withLabeled(config, { take: undefined, split_file: "/etc/passwd" })],
      ["dots", withLabeled(config, { images: `${project}/../../etc` })],
    ];
    for (const [name, bad] of outside)
      await assert.rejects(ann.createRun(name, bad), { reason: "PATH_NOT_ALLOWED", message: /\/etc/ });
  });

  it("gives its own workers a token that no list of processes shows, and an address without TLS", async () => {
    const python = join(folder, "python");
    await writeFile(python, `#!/bin/sh\necho "$@"; echo "token $CASSL_TOKEN"; cat >/dev/null\n`, { mode: 0o755 });
    const output: string[] = [];
    await start(access, { childWorkers: 1, python, onWorkerOutput: (line: string) => output.push(line) });
    while (output.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(output[0] ?? "", /--controller 127\.0\.0\.1:\d+ --scratch \S+ --exit-on-stdin-eof$/);
    const token = /^token (cassl-worker-.+)$/.exec(output[1] ?? "")?.[1];
    const address = /127\.0\.0\.1:\d+/.exec(output[0] ?? "")?.[0] ?? "";
    await assert.rejects(client(address, { token }).listRuns(), {
      reason: "PERMISSION_DENIED",
      message: /child-worker/,
    });
    await assert.rejects(client(address, {}).listRuns(), { reason: "UNAUTHENTICATED" });
    assert.ok(!(await readFile(join(folder, "tokens"), "utf8")).includes("child-worker"));
  });

  describe("says what is wrong with TLS", () => {
    const fails = (port: number, options: ConnectionOptions, message: RegExp, remedy: RegExp, host = "127.0.0.1") =>
      assert.rejects(client(`${host}:${port}`, options).listRuns(), { reason: "TLS_FAILED", message, remedy });
    const serve = (credentials: ServerCredentials): Promise<[number, Server]> => {
      const bare = new Server();
      return new Promise((resolve, reject) => {
        bare.bindAsync("127.0.0.1:0", credentials, (error, port) =>
          error === null ? resolve([port, bare]) : reject(error),
        );
      });
    };
    const serveWith = async ({ cert, key }: Pair): Promise<[number, Server]> => {
      const pair = { cert_chain: await readFile(cert), private_key: await readFile(key) };
      return serve(ServerCredentials.createSsl(null, [pair]));
    };

    it("an authority that is not trusted", async () => {
      const stranger = await makeAuthority(folder, "stranger");
      await fails(await start(), { tls: await trusting(stranger) }, /no authority that is trusted/, /--tls-ca/);
    });

    it("a certificate for another name", async () => {
      const elsewhere = await sign(folder, authority, "elsewhere", "DNS:elsewhere.example");
      const port = await start({ ...access, tls: elsewhere });
      await fails(port, { tls: await trusting(authority) }, /another name/, /the certificate names/);
    });

    it("a certificate that has expired", async () => {
      const [port, bare] = await serveWith(await sign(folder, authority, "old", "IP:127.0.0.1", -1));
      await fails(port, { tls: await trusting(authority) }, /expired/, /new certificate/);
      bare.forceShutdown();
    });

    it("a controller that does not speak it", async () => {
      const [port, bare] = await serve(ServerCredentials.createInsecure());
      await fails(port, { tls: await trusting(authority) }, /does not speak TLS/, /--tls-cert/);
      bare.forceShutdown();
    });

    it("a client that does not speak it", async () => {
      const plain = client(`127.0.0.1:${await start()}`, {});
      await assert.rejects(plain.listRuns(), { reason: "CONTROLLER_UNREACHABLE", remedy: /give --tls-ca/ });
    });

    it("a client without the certificate that is demanded, and lets in one with it", async () => {
      const port = await start({ ...access, tls: { ...server, clientCa: authority.cert } });
      const token = tokens.client;
      await fails(port, { token, tls: await trusting(authority) }, /demands another certificate/, /--client-ca/);
      const own = await sign(folder, authority, "ann", "DNS:ann");
      const ann = client(`127.0.0.1:${port}`, { token, tls: await trusting(authority, own) });
      assert.ok((await ann.listRuns()).length >= 0);
    });
  });

  it("is never sent a token in plain text", () => {
    const send = (): CasslClient => client("10.0.0.5:7070", { token: tokens.client });
    assert.throws(send, { reason: "CONFIG_INVALID", message: /plain text/, remedy: /--tls-ca/ });
  });
});

function withLabeled(config: RunConfig, changes: Partial<LabeledConfig>): RunConfig {
  const data = config.data as DataConfig;
  return { ...config, data: { ...data, labeled: { ...(data.labeled as LabeledConfig), ...changes } } };
}
