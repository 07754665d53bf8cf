import assert from "node:assert/strict";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { CasslError, type Reason } from "../../../ts/core/errors.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { grpcCodeOf } from "../../../ts/grpc/codes.js";
import { fromStatus, toStatus } from "../../../ts/grpc/status.js";

describe("gRPC status", () => {
  it("has a failing code for every reason, from the proto", () => {
    const reasons = Object.keys(ErrorReason).filter((reason) => reason !== "UNSPECIFIED") as Reason[];
    for (const reason of reasons) assert.ok(grpcCodeOf(reason) in status && grpcCodeOf(reason) > 0, reason);
    assert.equal(grpcCodeOf("RUN_NOT_FOUND"), status.NOT_FOUND);
    assert.equal(grpcCodeOf("CONTROLLER_UNREACHABLE"), status.UNAVAILABLE);
  });

  it("carries reason, message and remedy across", () => {
    const error = new CasslError("GATE_FAILED", "1 % of the images\nhave boxes: \u00fc", "Lower it.");
    const { reason, message, remedy } = fromStatus(toStatus(error), "");
    assert.deepEqual(
      { reason, message, remedy },
      { reason: "GATE_FAILED", message: error.message, remedy: "Lower it." },
    );
  });

  it("makes INTERNAL of what is no CasslError, with its trace", () => {
    const failed = toStatus(new TypeError("x is not a function"));
    assert.equal(failed.code, status.INTERNAL);
    const error = fromStatus(failed, "");
    assert.equal(error.reason, "INTERNAL");
    assert.match(String((error.cause as Error).message), /status\.test/);
  });

  it("keeps headers short", () => {
    const { metadata, details } = toStatus(new CasslError("CONFIG_INVALID", "x".repeat(50_000), ""));
    assert.ok((metadata.get("cassl-error-bin")[0]?.length ?? 0) < 4000 && details.length < 4000);
  });

  it("says where no controller answers", () => {
    const unavailable: ServiceError = Object.assign(new Error("refused"), {
      code: status.UNAVAILABLE,
      details: "refused",
      metadata: new Metadata(),
    });
    assert.match(fromStatus(unavailable, "127.0.0.1:9").message, /127\.0\.0\.1:9/);
    assert.equal(fromStatus(unavailable, "").reason, "CONTROLLER_UNREACHABLE");
  });
});
