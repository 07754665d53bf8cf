import { spawn } from "node:child_process";

/** Opens a file in the browser. Where none can be started, nothing happens. */
export async function openInBrowser(file: string): Promise<void> {
  const [program, ...args] = openerOf(process.platform);
  const child = spawn(program, [...args, file], { detached: true, stdio: "ignore" });
  await new Promise<void>((resolve) => {
    child.once("spawn", resolve);
    child.once("error", () => resolve());
  });
  child.unref();
}

function openerOf(platform: NodeJS.Platform): [program: string, ...args: string[]] {
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
}
