/** What a run's report says of its detectors, beyond the result. */
import type { JudgeRequest } from "../comparison/judge-detections.js";
import type { ArtifactStore } from "../core/artifacts.js";
import { type Certificate, parseCertificate } from "../evaluation/onnx/certify.js";
import type { RunResult } from "../pipeline/pipeline.js";
import { BOOTSTRAP } from "../report/report.js";

/** For the detections of each arm, in their order. */
export async function judgeRequest({ data, arms }: RunResult, artifacts: ArtifactStore): Promise<JudgeRequest> {
  return {
    validation: await artifacts.path(data.validation.sha256),
    detections: await Promise.all(arms.map(({ detections }) => artifacts.path(detections.sha256))),
    bootstrap: BOOTSTRAP,
  };
}

/** One an arm, in their order. */
export function reportedCertificates({ arms }: RunResult, artifacts: ArtifactStore): Promise<Certificate[]> {
  return Promise.all(
    arms.map(async ({ certificate }) => {
      return parseCertificate(Buffer.from(await artifacts.read(certificate.sha256)).toString());
    }),
  );
}
