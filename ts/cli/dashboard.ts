/** Where the commands that run a controller put its dashboard. */
import type { ControllerParts } from "../controller/controller.js";
import { CasslError } from "../core/errors.js";
import type { Dashboard, DashboardOptions } from "../dashboard/dashboard.js";

export const DEFAULT_UI_PORT = 7071;

/** @param place without a port: the usual one, or any if that is taken. ADDRESS_UNAVAILABLE. */
export async function openDashboard(
  parts: ControllerParts,
  { port, ...place }: Omit<DashboardOptions, "port"> & { readonly port?: number | undefined },
): Promise<Dashboard> {
  // Loaded here, because commands that serve no page should not wait for it.
  const { startDashboard } = await import("../dashboard/dashboard.js");
  if (port !== undefined) return startDashboard(parts, { ...place, port });
  try {
    return await startDashboard(parts, { ...place, port: DEFAULT_UI_PORT });
  } catch (error) {
    if (CasslError.from(error).reason !== "ADDRESS_UNAVAILABLE") throw error;
    return startDashboard(parts, { ...place, port: 0 });
  }
}
