/** A controller with a dashboard that demand tokens. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addToken, createToken } from "../../ts/controller/access/tokens.js";
import { startController } from "../../ts/controller/controller.js";
import { startDashboard } from "../../ts/dashboard/dashboard.js";

const ROLES = ["client", "read-only", "worker"] as const;
export type GuardedRole = (typeof ROLES)[number];

export interface GuardedLab {
  readonly url: string;
  readonly tokens: Readonly<Record<GuardedRole, string>>;
  stop(): Promise<void>;
}

/** @param folder where its workspace and its file of tokens are made. */
export async function openGuardedLab(folder: string): Promise<GuardedLab> {
  const file = join(folder, "tokens");
  await writeFile(file, "", { mode: 0o600 });
  const made = ROLES.map((role) => ({ role, ...createToken(role, role) }));
  for (const { record } of made) await addToken(file, record);
  const workspace = join(folder, ".guarded");
  const options = { workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" } as const;
  const controller = await startController({ ...options, access: { tokens: file } });
  const dashboard = await startDashboard(controller.parts, { host: "127.0.0.1", port: 0 });
  return {
    url: dashboard.url,
    tokens: Object.fromEntries(made.map(({ role, token }) => [role, token])) as Record<GuardedRole, string>,
    async stop() {
      await dashboard.stop();
      await controller.stop();
    },
  };
}
