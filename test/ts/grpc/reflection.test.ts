import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ServerReflectionRequest } from "../../../ts/gen/grpc/reflection/v1/reflection.js";
import { descriptors } from "../../../ts/grpc/descriptors.js";
import { reflectionAnswers } from "../../../ts/grpc/reflection.js";

const answer = reflectionAnswers(descriptors(), ["cassl.v1.ControllerService"]);
const ask = (message_request: ServerReflectionRequest["message_request"]) => answer({ host: "h", message_request });

const filesOf = (message_request: ServerReflectionRequest["message_request"]): string[] => {
  const { message_response: response } = ask(message_request);
  assert.equal(response?.$case, "file_descriptor_response", JSON.stringify(response));
  return response.value.file_descriptor_proto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
};

describe("server reflection", () => {
  it("repeats the request in its response", () => {
    const request: ServerReflectionRequest = { host: "h", message_request: { $case: "list_services", value: "" } };
    const { valid_host, original_request } = answer(request);
    assert.deepEqual([valid_host, original_request], ["h", request]);
  });

  it("gives a file after all that it imports", () => {
    const files = filesOf({ $case: "file_by_filename", value: "cassl/v1/controller_service.proto" });
    assert.equal(files.at(-1), "cassl/v1/controller_service.proto");
    assert.ok(files.indexOf("google/protobuf/descriptor.proto") < files.indexOf("cassl/v1/error_reason.proto"));
    assert.equal(new Set(files).size, files.length);
  });

  for (const symbol of [
    "cassl.v1.ControllerService",
    "cassl.v1.ControllerService.CreateRun",
    "cassl.v1.CreateRunRequest",
    "cassl.v1.CreateRunRequest.run_id",
  ]) {
    it(`finds ${symbol}`, () => {
      const files = filesOf({ $case: "file_containing_symbol", value: symbol });
      assert.equal(files.at(-1), "cassl/v1/controller_service.proto");
    });
  }

  it("finds extensions, by their number and by the message that they extend", () => {
    const containing_type = "google.protobuf.EnumValueOptions";
    const value = { containing_type, extension_number: 50001 };
    assert.equal(filesOf({ $case: "file_containing_extension", value }).at(-1), "cassl/v1/error_reason.proto");
    assert.deepEqual(ask({ $case: "all_extension_numbers_of_type", value: containing_type }).message_response, {
      $case: "all_extension_numbers_response",
      value: { base_type_name: containing_type, extension_number: [50001] },
    });
  });

  const unanswerable: [NonNullable<ServerReflectionRequest["message_request"]>, number][] = [
    [{ $case: "file_by_filename", value: "../secret" }, 5],
    [{ $case: "file_containing_symbol", value: "cassl.v1.ControllerService.Nothing" }, 5],
    [{ $case: "file_containing_symbol", value: "" }, 5],
    [{ $case: "all_extension_numbers_of_type", value: "cassl.v1.Nothing" }, 5],
    [{ $case: "file_containing_extension", value: { containing_type: "", extension_number: -1 } }, 5],
  ];
  for (const [request, code] of unanswerable) {
    it(`answers ${JSON.stringify(request)} with an error`, () => {
      const { message_response: response } = ask(request);
      assert.equal(response?.$case === "error_response" && response.value.error_code, code);
    });
  }

  it("answers a request that asks nothing with an error", () => {
    assert.equal(ask(undefined).message_response?.$case, "error_response");
  });
});
