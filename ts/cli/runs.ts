import { type Command, Option } from "commander";
import { CasslError, fromErrorDetail } from "../core/errors.js";
import { type RunState, stateName } from "../core/run-state.js";
import { type Run, State } from "../gen/cassl/v1/run.js";
import { formatAp, formatTime } from "../report/format.js";
import { type ConnectionFlags, connectionOptions, withController } from "./connection.js";
import { jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { type FinishedRun, finishedRuns, readResult } from "./run-files.js";
import { textTable } from "./table.js";

interface RunsOptions extends Partial<ConnectionFlags> {
  readonly state?: string;
  readonly name?: string;
  readonly workspace?: string;
  readonly json?: true;
}

interface RunRow {
  readonly run: string;
  readonly state: RunState;
  readonly at: Date | undefined;
  readonly note: string;
}

const STATE_NAMES = Object.values(State)
  .filter((state) => state !== State.UNSPECIFIED)
  .map(stateName);

export function addRuns(program: Command): void {
  const command = program
    .command("runs")
    .description("List runs, newest first: the finished ones of a workspace, or all of a controller.")
    .addOption(
      new Option("--controller <address>", "host:port of a controller that `cassl serve` started").env(
        "CASSL_CONTROLLER",
      ),
    )
    .addOption(new Option("--state <state>", "only runs of a controller in that state").choices(STATE_NAMES))
    .option("--name <name>", "only runs of a controller of that name")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(listRuns);
}

async function listRuns({ controller, workspace, json, state, name, ...flags }: RunsOptions): Promise<void> {
  const filter = { state, name };
  const rows =
    controller === undefined
      ? await runsOfWorkspace(workspaceHere(workspace), filter)
      : await runsOfController({ controller, ...flags }, filter);
  if (json) {
    for (const row of rows) console.log(JSON.stringify(row));
    return;
  }
  const cells = rows.map(({ run, state, at, note }) => [run, state, at === undefined ? "" : formatTime(at), note]);
  console.log(textTable({ header: ["run", "state", "time", ""], rows: cells }));
}

interface Filter {
  readonly state: string | undefined;
  readonly name: string | undefined;
}

async function runsOfController(flags: ConnectionFlags, { state, name }: Filter): Promise<RunRow[]> {
  const states = Object.values(State).filter((value) => stateName(value) === state);
  const filter = { states, ...(name === undefined ? {} : { name }) };
  const runs = await withController(flags, (client) => client.listRuns(filter));
  return runs.map((run) => ({
    run: run.run_id,
    state: stateName(run.state),
    at: run.finished_at ?? run.created_at,
    note: noteOf(run),
  }));
}

async function runsOfWorkspace(workspace: string, { state, name }: Filter): Promise<RunRow[]> {
  if (state !== undefined || name !== undefined) {
    const message = "--state and --name choose among the runs of a controller.";
    throw new CasslError("CONFIG_INVALID", message, "Give its address with --controller.");
  }
  return Promise.all((await finishedRuns(workspace)).map(rowOf));
}

async function rowOf({ run, finishedAt, result }: FinishedRun): Promise<RunRow> {
  const { arms } = await readResult(result);
  return {
    run,
    state: "succeeded",
    at: finishedAt,
    note: arms.map(({ arm, ap }) => `${arm} AP ${formatAp(ap)}`).join(", "),
  };
}

/** Why it has failed, or where it is in the queue; and its priority, if it has one. */
function noteOf({ error, queue_position, priority }: Run): string {
  const notes = [
    ...(error === undefined ? [] : [fromErrorDetail(error).reason]),
    ...(queue_position === undefined ? [] : [`${queue_position}. in the queue`]),
    ...(priority === 0 ? [] : [`priority ${priority}`]),
  ];
  return notes.join(", ");
}
