import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { CasslError, type Reason } from "../../../ts/core/errors.js";
import { packageRoot } from "../../../ts/core/package.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { Status } from "../../../ts/gen/google/rpc/status.js";
import { grpcCodeOf } from "../../../ts/grpc/codes.js";
import { fromStatus, STATUS_KEY, toStatus } from "../../../ts/grpc/status.js";

interface Golden {
  readonly reason: Reason;
  readonly message: string;
  readonly remedy: string;
  readonly trace: string;
  /** Base64. */
  readonly status: string;
}

const goldens = JSON.parse(readFileSync(join(packageRoot, "test/golden/status.json"), "utf8")) as Golden[];

function failure(code: status, details: string, trailer?: Buffer): ServiceError {
  const metadata = new Metadata();
  if (trailer !== undefined) metadata.set(STATUS_KEY, trailer);
  return Object.assign(new Error(details), { code, details, metadata });
}

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

  for (const golden of goldens) {
    it(`spells ${golden.reason} as Google's own messages do`, () => {
      const cause = Object.assign(new Error(), { stack: golden.trace });
      const error = new CasslError(golden.reason, golden.message, golden.remedy, { cause });
      const { metadata, code, details } = toStatus(error);
      const [bytes] = metadata.get(STATUS_KEY);
      assert.equal((bytes as Buffer).toString("base64"), golden.status);
      const read = fromStatus(failure(code, details, Buffer.from(golden.status, "base64")), "");
      assert.deepEqual([read.reason, read.message, read.remedy], [golden.reason, golden.message, golden.remedy]);
      assert.equal((read.cause as Error | undefined)?.message ?? "", golden.trace);
    });
  }

  it("makes INTERNAL of what is no CasslError, with its trace", () => {
    const failed = toStatus(new TypeError("x is not a function"));
    assert.equal(failed.code, status.INTERNAL);
    const error = fromStatus(failed, "");
    assert.equal(error.reason, "INTERNAL");
    assert.match(String((error.cause as Error).message), /status\.test/);
  });

  for (const letter of ["x", " ", "\u00fc", "\u{1f4a5}", "\ud800"]) {
    it(`keeps headers short and well-formed, for a message of ${JSON.stringify(letter)}`, () => {
      const { metadata, details } = toStatus(
        new CasslError("CONFIG_INVALID", letter.repeat(50_000), letter.repeat(900)),
      );
      const [bytes] = metadata.get(STATUS_KEY);
      const encoded = Math.ceil(((bytes?.length ?? Infinity) * 4) / 3);
      assert.ok(encoded + encodeURI(details).length < 8000 && details.endsWith(" ..."));
      assert.equal(Status.decode(bytes as Buffer).message, details);
    });
  }

  it("takes a reason that is not known here as INTERNAL, with its message", () => {
    const trailer = Buffer.from(goldens[0]?.status ?? "", "base64");
    const newer = Buffer.from(trailer.toString("latin1").replace("RUN_NOT_FOUND", "RUN_NOT_FOUNT"), "latin1");
    const { reason, message } = fromStatus(failure(status.NOT_FOUND, "", newer), "");
    assert.deepEqual([reason, message], ["INTERNAL", "There is no run `a`."]);
  });

  it("judges by the code where the trailer is another's, or damaged", () => {
    const others = Buffer.from(Status.encode({ code: 14, message: "", details: [] }).finish());
    for (const trailer of [others, Buffer.from([0xff, 0xff])]) {
      const error = fromStatus(failure(status.UNAVAILABLE, "no upstream", trailer), "127.0.0.1:9");
      assert.deepEqual([error.reason, /no upstream/.test(error.message)], ["CONTROLLER_UNREACHABLE", true]);
    }
  });

  it("says where no controller answers", () => {
    const error = fromStatus(failure(status.UNAVAILABLE, "refused"), "127.0.0.1:9");
    assert.match(error.message, /127\.0\.0\.1:9/);
    assert.equal(error.reason, "CONTROLLER_UNREACHABLE");
  });
});
