import { Command } from "commander";
import { version } from "../core/package.js";

/** The command line without its commands. */
export function createProgram(): Command {
  return new Command("cassl")
    .description("Train object detectors and instance segmenters from few labels and many unlabeled images.")
    .version(version)
    .option("--debug", "show where an error comes from, and what workers write")
    .exitOverride()
    .showHelpAfterError("Add --help to see what there is.");
}
