/** What every gRPC client finds, whatever its language. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { packageRoot } from "../../../ts/core/package.js";
import { CreateRunRequest, ControllerServiceService as methods } from "../../../ts/gen/cassl/v1/controller_service.js";
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../../ts/gen/grpc/health/v1/health.js";
import { fromStatus } from "../../../ts/grpc/status.js";
import { makeFolder } from "./workbench.js";

describe("gRPC server", () => {
  let folder: string;
  let controller: Controller;

  before(async () => {
    folder = await makeFolder();
    controller = await startController({
      workspace: folder,
      host: "127.0.0.1",
      port: 0,
      childWorkers: 0,
      recover: "fail",
    });
  });
  after(async () => {
    await controller.stop();
    await rm(folder, { recursive: true });
  });

  const curl = async (...args: string[]): Promise<string> => {
    const transport = ["curl", "--protocol", "grpc", "--http2-prior-knowledge"];
    const { stdout } = await promisify(execFile)(join(packageRoot, "node_modules/.bin/buf"), [...transport, ...args]);
    return stdout;
  };

  it("tells `buf curl` its services and methods, and is called through what it tells", async () => {
    const url = `http://${controller.address}`;
    const listed = await curl("--list-methods", url);
    for (const name of [
      "cassl.v1.ControllerService/CreateRun",
      "cassl.v1.WorkerService/Attach",
      "grpc.health.v1.Health/Check",
    ])
      assert.ok(listed.split("\n").includes(name), listed);
    assert.equal(await curl(`${url}/cassl.v1.ControllerService/ListRuns`), "{}\n");
    const missing = curl("-d", '{"run_id":"a"}', `${url}/cassl.v1.ControllerService/GetRun`);
    await assert.rejects(missing, /not_found[\s\S]*There is no run `a`[\s\S]*google\.rpc\.ErrorInfo/);
  });

  it("tells older clients the same", async () => {
    const url = `http://${controller.address}`;
    const listed = await curl("--reflect-protocol", "grpc-v1alpha", "--list-methods", url);
    assert.ok(listed.includes("cassl.v1.ControllerService/WatchRun"), listed);
  });

  it("serves the standard health service", async () => {
    const client = new HealthClient(controller.address, credentials.createInsecure());
    const check = (service: string): Promise<HealthCheckResponse> =>
      new Promise((resolve, reject) => {
        client.check({ service }, (error, response) => (error === null ? resolve(response) : reject(error)));
      });
    assert.equal((await check("")).status, Serving.SERVING);
    assert.equal((await check("cassl.v1.WorkerService")).status, Serving.SERVING);
    await assert.rejects(check("cassl.v1.Nothing"), { code: status.NOT_FOUND });
    client.close();
  });

  describe("given bytes that are not the message that it expects", () => {
    let client: Client;

    before(() => {
      client = new Client(controller.address, credentials.createInsecure());
    });
    after(() => client.close());

    const createRun = (bytes: Uint8Array): Promise<ServiceError | null> =>
      new Promise((resolve) => {
        const { path } = methods.createRun;
        client.makeUnaryRequest(
          path,
          Buffer.from,
          (response) => response,
          bytes,
          (error) => resolve(error),
        );
      });

    it("says so, with a reason", async () => {
      const error = (await createRun(Buffer.from([0x0a, 0xff]))) as ServiceError;
      assert.equal(error.code, status.INVALID_ARGUMENT);
      const { reason, message } = fromStatus(error, "");
      assert.deepEqual([reason, /CreateRun cannot be decoded/.test(message)], ["REQUEST_INVALID", true]);
    });

    it("refuses more than 16 MiB", async () => {
      const large = CreateRunRequest.encode(CreateRunRequest.create({ run_id: "a".repeat(17 * 2 ** 20) })).finish();
      const error = (await createRun(large)) as ServiceError;
      assert.equal(fromStatus(error, "").reason, "LIMIT_EXCEEDED");
    });
  });
});
