/** As much of Ray's dashboard as the controller calls, so that tests decide what becomes of a job. test/integration/ray.test.ts has a real one. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { JobRequest, JobStatus } from "../../../../ts/ray/jobs.js";

export interface SubmittedJob {
  readonly request: Pick<JobRequest, "submission_id" | "metadata"> & Partial<JobRequest>;
  status: JobStatus;
  message: string;
}

export interface RayStandIn {
  readonly address: string;
  readonly jobs: Map<string, SubmittedJob>;
  version: string;
  /** The next job that is submitted. */
  submitted(): Promise<SubmittedJob>;
  close(): Promise<void>;
}

export const TOKEN = "ray-token";

export async function startRayStandIn(): Promise<RayStandIn> {
  const waiting: ((job: SubmittedJob) => void)[] = [];
  const unseen: SubmittedJob[] = [];
  const ray = { jobs: new Map<string, SubmittedJob>(), version: "2.60.0" };

  function submit(request: JobRequest): [number, object] {
    if (ray.jobs.has(request.submission_id)) return [500, { error: "already exists" }];
    const job: SubmittedJob = { request, status: "PENDING", message: "" };
    ray.jobs.set(request.submission_id, job);
    const reader = waiting.shift();
    if (reader === undefined) unseen.push(job);
    else reader(job);
    return [200, {}];
  }

  function answer(method: string, path: string, body: string): [number, object] {
    const [, id = "", verb] = /^\/api\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const job = ray.jobs.get(decodeURIComponent(id));
    if (path === "/api/version") return [200, { ray_version: ray.version }];
    if (path === "/api/cluster_status") {
      return [200, { data: { clusterStatus: { loadMetricsReport: { nodeTypes: [[{ CPU: 2 }, 1]] } } } }];
    }
    if (path === "/api/jobs/" && method === "POST") return submit(JSON.parse(body) as JobRequest);
    if (job === undefined) return [404, {}];
    if (verb === "stop") job.status = "STOPPED";
    if (verb === "logs") return [200, { logs: job.message }];
    return [200, { status: job.status, message: job.message, metadata: job.request.metadata }];
  }

  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const isKnown = request.headers.authorization === `Bearer ${TOKEN}`;
      const isBrowser = "sec-fetch-mode" in request.headers;
      const [status, json] = isBrowser
        ? [405, {}]
        : isKnown
          ? answer(request.method ?? "", request.url ?? "", body)
          : [request.headers.authorization === undefined ? 401 : 403, {}];
      response.writeHead(status).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(ray, {
    address: `http://127.0.0.1:${port}`,
    submitted: () =>
      new Promise<SubmittedJob>((resolve) => {
        const job = unseen.shift();
        if (job === undefined) waiting.push(resolve);
        else resolve(job);
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
