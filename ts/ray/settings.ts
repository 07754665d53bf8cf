/** The operator's file of --ray: which cluster, and what its jobs are given. Runs only say which of their tasks go there. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { CasslError } from "../core/errors.js";
import { readText } from "../core/text-file.js";
import { readYaml } from "../core/yaml.js";
import { readSecretFile } from "../grpc/secret-files.js";
import { describeIssue } from "../pipeline/describe-issue.js";

const count = z.int32().min(1);
const amount = z.number().min(0).default(0);

/** What is demanded of one node at once. */
const demand = {
  cpus: z.number().min(0).default(1),
  gpus: amount,
  memory_gb: amount,
  resources: z.record(z.string().min(1), z.number().positive()).default({}),
  labels: z.record(z.string().min(1), z.string().min(1)).default({}),
};

const schema = z.strictObject({
  /** Of the dashboard, which serves the Jobs API. */
  address: z.url({ protocol: /^https?$/, error: "must be a URL such as http://10.0.0.1:8265" }),
  token_file: z.string().min(1).optional(),
  /** A folder that all nodes share, or a URI that Ray can write to. */
  storage: z
    .string()
    .regex(/^(\/|[a-z][a-z0-9+.-]*:\/\/)/i, "must be an absolute path or a URI such as s3://bucket/cassl"),
  /** How a job reaches the controller. */
  controller: z
    .strictObject({
      address: z.string().min(1).optional(),
      token_file: z.string().min(1).optional(),
      tls_ca: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Of the nodes. */
  python: z.string().min(1).default("python"),
  runtime_env: z.record(z.string(), z.unknown()).default({}),
  pending_seconds: z.number().positive().default(600),
  unreachable_seconds: z.number().positive().default(300),
  driver: z.strictObject({ ...demand, cpus: amount }).prefault({}),
  /** With fewer `min_workers` than `workers`, as many as there is room for. */
  train: z
    .strictObject({
      ...demand,
      workers: count.default(1),
      min_workers: count.optional(),
      max_failures: z.int32().min(0).default(3),
    })
    .prefault({}),
  predict: z.strictObject({ ...demand, workers: count.default(1), min_workers: count.default(1) }).prefault({}),
  export: z.strictObject(demand).prefault({}),
});

export type RaySettings = z.output<typeof schema>;
/** What one process of a job asks for. */
export type Demand = RaySettings["export"];

/** A cluster, with the secret that it demands. */
export interface RayCluster extends RaySettings {
  /** Undefined if Ray demands none. */
  readonly token: string | undefined;
}

/** CONFIG_INVALID names the field; FILE_NOT_FOUND. Paths of this machine are relative to the folder of the file. */
export async function readRayCluster(file: string): Promise<RayCluster> {
  const settings = parseRaySettings(await readText(file, `The file of --ray, ${file},`), file);
  if (settings.token_file === undefined) return { ...settings, token: undefined };
  const token = await readSecretFile(resolve(dirname(file), settings.token_file), "The token of Ray");
  return { ...settings, token: token.toString().trim() };
}

export function parseRaySettings(text: string, file: string): RaySettings {
  const input = readYaml(text, file);
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap((issue) => describeIssue(issue, schema, input));
    throw new CasslError("CONFIG_INVALID", `${file}: ${lines.join("\n")}`, "Correct the file; see docs/ray.md.");
  }
  for (const kind of ["train", "predict"] as const) {
    const { workers, min_workers = workers } = parsed.data[kind];
    if (min_workers <= workers) continue;
    const message = `${file}: \`${kind}.min_workers\` is ${min_workers}, above \`${kind}.workers\`, ${workers}.`;
    throw new CasslError("CONFIG_INVALID", message, "Correct the file; see docs/ray.md.");
  }
  return parsed.data;
}
