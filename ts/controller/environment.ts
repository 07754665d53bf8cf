/** What runs are computed with, for their reports. */
import { arch, hostname, platform } from "node:os";
import { version } from "../core/package.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { Environment } from "../report/report.js";

export function environment(workers: readonly Worker[]): Environment {
  return {
    cassl: version,
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    host: hostname(),
    workers: workers.map(({ name, host, devices, gpus, versions }) => {
      return { name, host, devices, gpus: gpus.map((gpu) => gpu.name).filter((gpu) => gpu !== ""), versions };
    }),
  };
}
