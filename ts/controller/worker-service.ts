import type { ServerDuplexStream } from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { version } from "../core/package.js";
import type { AttachRequest, AttachResponse, Register, WorkerServiceServer } from "../gen/cassl/v1/worker_service.js";
import { toStatus } from "../grpc/status.js";
import type { AttachedWorker, WorkerChannel, WorkerPool } from "./workers.js";

type AttachCall = ServerDuplexStream<AttachRequest, AttachResponse>;

export function workerService(pool: WorkerPool): WorkerServiceServer {
  return {
    attach(call) {
      let worker: AttachedWorker | undefined;
      call.on("data", ({ message }: AttachRequest) => {
        try {
          if (worker === undefined) worker = pool.attach(registerOf(message), channelOf(call));
          else worker.receive(message);
        } catch (error) {
          worker?.end();
          call.emit("error", toStatus(error));
        }
      });
      call.on("end", () => {
        worker?.end();
        call.end();
      });
      call.on("cancelled", () => worker?.end());
      call.on("error", () => worker?.end());
    },
  };
}

function channelOf(call: AttachCall): WorkerChannel {
  return {
    send(message) {
      if (call.writable) call.write({ message });
    },
    close: () => void call.end(),
  };
}

/** VERSION_MISMATCH if the worker is not of this version; REQUEST_INVALID if the first message is not its registration. */
function registerOf(message: AttachRequest["message"]): Register {
  if (message?.$case !== "register") {
    throw new CasslError("REQUEST_INVALID", "The first message of Attach must be `register`.", "Send that first.");
  }
  const register = message.value;
  if (register.version === version) return register;
  throw new CasslError(
    "VERSION_MISMATCH",
    `Worker ${register.name} has version ${register.version || "(none)"}, the controller ${version}.`,
    `Install the same version of both, for the worker: pip install 'cassl-worker==${version}'.`,
  );
}
