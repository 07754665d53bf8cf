import assert from "node:assert/strict";
import { credentials, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import {
  ArtifactServiceClient,
  type ArtifactServiceServer,
  ArtifactServiceService,
} from "../../../ts/gen/cassl/v1/artifact_service.js";
import { checkRequests, withCheckedRequests } from "../../../ts/grpc/requests.js";
import { fromStatus } from "../../../ts/grpc/status.js";

describe("requests", () => {
  let server: Server;
  let client: ArtifactServiceClient;

  beforeEach(async () => {
    server = new Server({ interceptors: [checkRequests(20)] });
    const handlers: ArtifactServiceServer = {
      statArtifact: (_, callback) => setTimeout(callback, 60, null, { ref: undefined, received_bytes: 0 }),
      getArtifact: (call) => call.end(),
      putArtifact: (call, callback) => {
        call.on("data", () => {});
        call.on("end", () => callback(null, { ref: undefined }));
      },
    };
    server.addService(withCheckedRequests(ArtifactServiceService), handlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    client = new ArtifactServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  afterEach(() => {
    client.close();
    server.forceShutdown();
  });

  it("gives up one that stops coming before it is whole", async () => {
    const error = await new Promise<ServiceError | null>((resolve) => {
      const call = client.putArtifact(resolve);
      call.on("error", () => {});
      call.write({ message: { $case: "ref", value: { sha256: "", size_bytes: 1 } }, offset: 0 });
    });
    const { reason, message } = fromStatus(error as ServiceError, "");
    assert.deepEqual([reason, /PutArtifact is given up/.test(message)], ["LIMIT_EXCEEDED", true]);
  });

  it("lets the answer to a whole one take its time", async () => {
    const error = await new Promise((resolve) => client.statArtifact({ sha256: "" }, resolve));
    assert.equal(error, null);
  });
});
