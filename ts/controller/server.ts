/** The gRPC server: which services it has, what its connections may cost, and where it listens. */
import { logVerbosity, Server, type ServerCredentials, type ServerInterceptor, setLogVerbosity } from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { type ArtifactServiceServer, ArtifactServiceService } from "../gen/cassl/v1/artifact_service.js";
import { type ControllerServiceServer, ControllerServiceService } from "../gen/cassl/v1/controller_service.js";
import { type WorkerServiceServer, WorkerServiceService } from "../gen/cassl/v1/worker_service.js";
import { ServerReflectionService } from "../gen/grpc/reflection/v1/reflection.js";
import { descriptors } from "../grpc/descriptors.js";
import { addHealth } from "../grpc/health.js";
import { SERVER_OPTIONS } from "../grpc/limits.js";
import { alphaReflectionService, reflectionAnswers } from "../grpc/reflection.js";
import { checkRequests, withCheckedRequests } from "../grpc/requests.js";
import { answering } from "./rpc.js";

export interface Handlers {
  readonly artifacts: ArtifactServiceServer;
  readonly controller: ControllerServiceServer;
  readonly workers: WorkerServiceServer;
}

export interface GrpcServer {
  /** Returns host:port. ADDRESS_UNAVAILABLE, mostly because the port is taken. */
  listen(host: string, port: number, credentials: ServerCredentials): Promise<string>;
  stop(): void;
}

const OWN_SERVICES = ["ArtifactService", "ControllerService", "WorkerService"].map((name) => `cassl.v1.${name}`);
/** What server reflection lists. */
const SERVICES = [...OWN_SERVICES, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];

/** @param guards see every call before anything else does. */
export function createServer(
  { artifacts, controller, workers }: Handlers,
  guards: readonly ServerInterceptor[] = [],
): GrpcServer {
  const server = new Server({ ...SERVER_OPTIONS, interceptors: [...guards, checkRequests()] });
  server.addService(withCheckedRequests(ArtifactServiceService), artifacts);
  server.addService(withCheckedRequests(ControllerServiceService), controller);
  server.addService(withCheckedRequests(WorkerServiceService), workers);
  const reflection = { serverReflectionInfo: answering(reflectionAnswers(descriptors(), SERVICES)) };
  server.addService(withCheckedRequests(ServerReflectionService), reflection);
  server.addService(withCheckedRequests(alphaReflectionService), reflection);
  const health = addHealth(server, OWN_SERVICES);
  return {
    listen: (host, port, credentials) => bind(server, host, port, credentials),
    stop() {
      health.stop();
      server.forceShutdown();
    },
  };
}

function bind(server: Server, host: string, port: number, credentials: ServerCredentials): Promise<string> {
  const name = host.includes(":") ? `[${host}]` : host;
  // Failures are reported by us; the library would write them to the terminal as well.
  setLogVerbosity(logVerbosity.NONE);
  return new Promise((resolve, reject) => {
    server.bindAsync(`${name}:${port}`, credentials, (error, bound) => {
      if (error === null) resolve(`${name}:${bound}`);
      else reject(addressUnavailable(`${name}:${port}`, error));
    });
  });
}

function addressUnavailable(address: string, cause: Error): CasslError {
  return new CasslError(
    "ADDRESS_UNAVAILABLE",
    `The address ${address} cannot be bound: ${cause.message}`,
    "Stop what uses the port, or choose another with --listen.",
    { cause },
  );
}
