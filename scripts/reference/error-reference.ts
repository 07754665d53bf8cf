/** The catalogue of errors: cause and remedy from the proto, and where each comes from. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { exitCodeOf } from "../../ts/cli/exit-code.js";
import type { Reason } from "../../ts/core/errors.js";
import { packageRoot } from "../../ts/core/package.js";
import { ErrorReason } from "../../ts/gen/cassl/v1/error_reason.js";
import { grpcCodeOf } from "../../ts/grpc/codes.js";
import { IN_FILE, MEMBER, protoFiles } from "./descriptors.js";
import { code, page, plain } from "./markdown.js";

const PREFIX = "ERROR_REASON_";
const MOST_SOURCES = 6;

/** @param sources paths of files that may raise an error, relative to the repository. */
export function errorReference(sources: readonly string[]): string {
  const origins = originsIn(sources);
  return page(
    "# Errors",
    "Each failure has a reason, which `--json` prints, a gRPC status carries as its `ErrorInfo`, and a run keeps; a message with the offending value; and a remedy. Scripts may rely on the reasons, and on the exit codes of the commands.",
    ...catalogue().map(({ reason, text }) => reasonSection(reason, text, origins.get(reason) ?? [])),
  );
}

export function catalogue(): { reason: Reason; text: string }[] {
  const file = protoFiles().find(({ descriptor }) => descriptor.name.endsWith("error_reason.proto"));
  const values = file?.descriptor.enumType[0]?.value ?? [];
  return values.flatMap(({ name }, index) => {
    const reason = name.slice(PREFIX.length);
    if (reason === "UNSPECIFIED" || !(reason in ErrorReason)) return [];
    return [{ reason: reason as Reason, text: file?.comment(IN_FILE.enum, 0, MEMBER, index) ?? "" }];
  });
}

function reasonSection(reason: Reason, text: string, origins: readonly string[]): string {
  const facts = [`gRPC ${code(status[grpcCodeOf(reason)] ?? "")}`, `exit code ${exitCodeOf(reason)}`];
  const shown = origins.slice(0, MOST_SOURCES).map(code).join(", ");
  const more = origins.length > MOST_SOURCES ? ` and ${origins.length - MOST_SOURCES} more` : "";
  return page(`## ${reason}`, plain(text), `${facts.join(" · ")}${shown === "" ? "" : ` · raised in ${shown}${more}`}`);
}

/** The files that name a reason as `"REASON"`. */
function originsIn(sources: readonly string[]): Map<string, string[]> {
  const origins = new Map<string, string[]>();
  for (const source of sources) {
    const text = readFileSync(join(packageRoot, source), "utf8");
    for (const [, reason = ""] of text.matchAll(/(?:CasslError\(\s*|ERROR_REASON_)"?([A-Z_]+)/g)) {
      const found = origins.get(reason) ?? [];
      if (!found.includes(source)) origins.set(reason, [...found, source]);
    }
  }
  return origins;
}
