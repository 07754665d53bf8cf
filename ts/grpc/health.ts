/** The standard health service: the controller serves from its start to its stop. */
import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

export interface Health {
  /** Tells those who watch that the controller is about to stop. */
  stop(): void;
}

/** @param services full names, such as `cassl.v1.ControllerService`; the empty name stands for all of them. */
export function addHealth(server: Server, services: readonly string[]): Health {
  const names = ["", ...services];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, "SERVING"])));
  health.addToServer(server);
  return {
    stop() {
      for (const name of names) health.setStatus(name, "NOT_SERVING");
    },
  };
}
