/** Ray's Jobs API, over HTTP. Not by `fetch`, whose `sec-fetch-mode` header Ray takes for a browser and refuses. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { CasslError } from "../core/errors.js";
import type { RayCluster } from "./settings.js";

/** Ends with the last three. */
export type JobStatus = "PENDING" | "RUNNING" | "STOPPED" | "SUCCEEDED" | "FAILED";

export interface Job {
  readonly status: JobStatus;
  /** Of FAILED: why, with the last lines that the job wrote. */
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** As Ray takes it. */
export interface JobRequest {
  readonly submission_id: string;
  readonly entrypoint: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly runtime_env: Readonly<Record<string, unknown>>;
  readonly entrypoint_num_cpus?: number;
  readonly entrypoint_num_gpus?: number;
  readonly entrypoint_memory?: number;
  readonly entrypoint_resources?: Readonly<Record<string, number>>;
  readonly entrypoint_label_selector?: Readonly<Record<string, string>>;
}

/** Amounts of a node by the name of the resource, such as `CPU`. */
export type NodeResources = Readonly<Record<string, number>>;

/** Every member may throw RAY_UNREACHABLE, RAY_TOKEN_REFUSED, or RAY_JOB_FAILED if Ray answers what is not expected. */
export interface RayJobs {
  /** Of Ray. */
  version(): Promise<string>;
  /** Undefined if Ray does not know the job. */
  find(id: string): Promise<Job | undefined>;
  submit(job: JobRequest): Promise<void>;
  /** Harmless for a job that has ended or is not known. */
  stop(id: string): Promise<void>;
  /** What the job has written so far. */
  logs(id: string): Promise<string>;
  /** What each kind of node has in all, whoever uses it. */
  nodes(): Promise<readonly NodeResources[]>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 30_000;
const SHOWN_CHARACTERS = 500;
const [OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, SERVER_FAULT] = [200, 401, 403, 404, 500];

export function connectRay({ address, token }: Pick<RayCluster, "address" | "token">): RayJobs {
  const base = address.replace(/\/+$/, "");

  async function call(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
    const answer = await send(`${base}${path}`, method, token, body).catch((cause: Error) => {
      throw unreachable(base, cause);
    });
    if (answer.status === UNAUTHORIZED || answer.status === FORBIDDEN) throw refused(base, token, answer);
    // A head that is starting says so, or that it has no agent for jobs yet: it is to be asked again.
    if (answer.status >= SERVER_FAULT)
      throw unreachable(base, new Error(`${answer.status} ${answer.text.slice(0, SHOWN_CHARACTERS)}`));
    return answer;
  }

  async function json(method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
    const answer = await call(method, path, body);
    if (answer.status !== OK) throw unexpected(method, path, answer);
    return parse(method, path, answer);
  }

  return {
    version: async () => ((await json("GET", "/api/version")) as { ray_version?: string }).ray_version ?? "",
    async find(id) {
      const path = jobPath(id);
      const answer = await call("GET", path);
      if (answer.status === NOT_FOUND) return undefined;
      if (answer.status !== OK) throw unexpected("GET", path, answer);
      const { status, message, metadata } = parse("GET", path, answer) as Partial<Job>;
      if (status === undefined) throw unexpected("GET", path, answer);
      return { status, message: message ?? "", metadata: metadata ?? {} };
    },
    async submit(job) {
      await json("POST", "/api/jobs/", job);
    },
    async stop(id) {
      const path = `${jobPath(id)}/stop`;
      const answer = await call("POST", path);
      if (answer.status !== OK && answer.status !== NOT_FOUND) throw unexpected("POST", path, answer);
    },
    logs: async (id) => ((await json("GET", `${jobPath(id)}/logs`)) as { logs?: string }).logs ?? "",
    async nodes() {
      const answer = (await json("GET", "/api/cluster_status")) as ClusterStatus;
      return (answer.data?.clusterStatus?.loadMetricsReport?.nodeTypes ?? []).map(([resources]) => resources);
    },
  };
}

interface ClusterStatus {
  readonly data?: {
    readonly clusterStatus?: {
      readonly loadMetricsReport?: { readonly nodeTypes?: readonly (readonly [NodeResources, number])[] };
    };
  };
}

export function hasEnded({ status }: Pick<Job, "status">): boolean {
  return status === "STOPPED" || status === "SUCCEEDED" || status === "FAILED";
}

function jobPath(id: string): string {
  return `/api/jobs/${encodeURIComponent(id)}`;
}

function send(url: string, method: string, token: string | undefined, body: object | undefined): Promise<Answer> {
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(content !== undefined && { "content-type": "application/json", "content-length": content.length }),
  };
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    call.on("error", reject);
    call.end(content);
  });
}

function parse(method: string, path: string, answer: Answer): unknown {
  try {
    return JSON.parse(answer.text) as unknown;
  } catch {
    throw unexpected(method, path, answer);
  }
}

function unreachable(address: string, cause: Error): CasslError {
  // Node leaves the message of a refused connection to several addresses empty.
  const why = cause.message || (cause as NodeJS.ErrnoException).code;
  return new CasslError(
    "RAY_UNREACHABLE",
    `Ray does not answer at ${address}: ${why}.`,
    "See that the head of the cluster runs, and that `address` in the file of --ray is that of its dashboard.",
    { cause },
  );
}

function refused(address: string, token: string | undefined, { text }: Answer): CasslError {
  const fault = token === undefined ? "demands a token" : "does not take the token";
  return new CasslError(
    "RAY_TOKEN_REFUSED",
    `Ray at ${address} ${fault}: ${text.slice(0, SHOWN_CHARACTERS)}.`,
    "Put the token of the cluster into a file, and name that as `token_file` in the file of --ray.",
  );
}

function unexpected(method: string, path: string, { status, text }: Answer): CasslError {
  return new CasslError(
    "RAY_JOB_FAILED",
    `Ray answers ${method} ${path} with ${status}: ${text.slice(0, SHOWN_CHARACTERS)}`,
    "See that `address` in the file of --ray is that of a Ray dashboard.",
  );
}
