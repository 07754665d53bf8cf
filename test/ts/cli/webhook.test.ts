import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tellingEnd } from "../../../ts/cli/command-webhook.js";
import { parseWebhook, webhookSink, webhooksOf } from "../../../ts/cli/webhook.js";
import { signature } from "../../../ts/cli/webhook-delivery.js";
import { CasslError, toErrorDetail } from "../../../ts/core/errors.js";
import { Run, type RunEvent, State } from "../../../ts/gen/cassl/v1/run.js";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const TIMES = { timeoutMs: 2000, backoffMs: 1, attempts: 3 };
const RUN = Run.fromPartial({ run_id: "small-1", config_hash: "abc", config: { name: "small" } });

function eventNow(event: RunEvent["event"], sequence = 7): RunEvent {
  return { sequence, at: new Date(Date.now() + 60_000), event };
}

const ended = (error?: CasslError): RunEvent["event"] => ({
  $case: "state_changed",
  value: {
    state: error === undefined ? State.SUCCEEDED : State.FAILED,
    error: error === undefined ? undefined : toErrorDetail(error),
  },
});
const gate = (passed: boolean): RunEvent["event"] => ({
  $case: "gate_checked",
  value: {
    name: "min_recall",
    value: 0.1,
    limit: 0.2,
    passed,
    scope: "class_agnostic",
    overridden: false,
    reason: "",
    remedy: "",
  },
});

describe("webhook", () => {
  let server: Server;
  let url: URL;
  let received: Received[] = [];
  /** Of the answers to come; 200 after them. */
  let statuses: number[] = [];
  let notes: string[] = [];

  before((done) => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        const status = statuses.shift() ?? 200;
        response.writeHead(status, status === 302 ? { Location: "/elsewhere" } : {}).end();
      });
    }).listen(0, "127.0.0.1", () => {
      url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
      done();
    });
  });
  beforeEach(() => {
    received = [];
    statuses = [];
    notes = [];
  });
  after(() => server.close());

  async function send(events: readonly RunEvent[], secret?: string): Promise<void> {
    const sink = webhookSink(url, secret, (text) => notes.push(text), { times: TIMES });
    sink.begin?.(RUN);
    for (const event of events) sink.show(event);
    await sink.finish?.();
  }

  it("is told how a run ended, and of what worth its arms are", async () => {
    const evaluated = { scope: "supervised", ap: 0.2, ap50: 0.4, ap75: 0.1, class_agnostic_ap: 0.3 };
    const failure = new CasslError("GATE_FAILED", "too few boxes", "train longer");
    await send([eventNow({ $case: "arm_evaluated", value: evaluated }), eventNow(ended(failure))]);
    const [{ body } = { body: "" }] = received;
    const told = JSON.parse(body) as Record<string, unknown>;
    assert.equal(received.length, 1);
    assert.deepEqual([told["event"], told["run"], told["name"]], ["run_ended", "small-1", "small"]);
    assert.deepEqual(told["detail"], {
      state: "STATE_FAILED",
      error: { reason: "GATE_FAILED", message: "too few boxes", remedy: "train longer" },
    });
    assert.deepEqual(told["arms"], [evaluated]);
  });

  it("is told of a gate that is not passed, and of nothing else", async () => {
    const running: RunEvent["event"] = { $case: "state_changed", value: { state: State.RUNNING, error: undefined } };
    await send([eventNow(running), eventNow(gate(true)), eventNow(gate(false))]);
    assert.deepEqual(
      received.map(({ body }) => (JSON.parse(body) as { event: string }).event),
      ["gate_failed"],
    );
  });

  it("can check who wrote", async () => {
    await send([eventNow(ended())], "secret");
    const [{ headers, body } = { headers: {}, body: "" }] = received;
    assert.equal(headers["x-cassl-signature"], `sha256=${signature(body, "secret")}`);
    // RFC 4231, test case 2.
    assert.equal(
      signature("what do ya want for nothing?", "Jefe"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  it("is told again where it had no time, as the same delivery", async () => {
    statuses = [503, 429];
    await send([eventNow(ended())]);
    assert.equal(received.length, 3);
    assert.equal(new Set(received.map(({ headers }) => headers["x-cassl-delivery"])).size, 1);
    assert.deepEqual(notes, []);
  });

  it("that goes on failing is a warning", async () => {
    statuses = [500, 500, 500];
    await send([eventNow(ended())]);
    assert.equal(received.length, 3);
    assert.match(
      notes.join(),
      /^warning: 127\.0\.0\.1:\d+ was not told of `run_ended`: it answered 500 \(attempt 3\)$/,
    );
  });

  it("is sent nowhere else, and not again where that is no use", async () => {
    statuses = [302];
    await send([eventNow(ended())]);
    assert.equal(received.length, 1);
    assert.match(notes.join(), /it answered 302 \(attempt 1\)/);
  });

  it("is not told again of what was before it was named", async () => {
    await send([{ ...eventNow(ended()), at: new Date(Date.now() - 60_000) }]);
    assert.deepEqual(received, []);
  });

  it("is told of each run of a controller with what is its own", async () => {
    const hooks = webhooksOf(() => webhookSink(url, undefined, (text) => notes.push(text), { times: TIMES, since: 0 }));
    const evaluated = { scope: "supervised", ap: 0.2, ap50: 0.4, ap75: 0.1, class_agnostic_ap: 0.3 };
    hooks.tell(RUN, eventNow({ $case: "arm_evaluated", value: evaluated }));
    hooks.tell({ ...RUN, run_id: "other" }, eventNow(ended()));
    hooks.tell(RUN, eventNow(ended()));
    await hooks.finish();
    const told = received.map(({ body }) => JSON.parse(body) as { run: string; arms: object[] });
    assert.deepEqual(Object.fromEntries(told.map(({ run, arms }) => [run, arms.length])), { "small-1": 1, other: 0 });
  });

  it("is https, or on this machine", () => {
    for (const text of ["https://example.org/x", "http://127.0.0.1:80/", "http://[::1]/", "http://localhost:9/"])
      assert.equal(parseWebhook(text).href, new URL(text).href);
    for (const text of ["http://example.org/", "ftp://example.org/", "example.org", "https://me:pw@example.org/"])
      assert.throws(() => parseWebhook(text), /It must/);
  });

  it("is told how a comparison or a sweep ended, whatever that was, and the failure goes on", async () => {
    const told = {
      url,
      event: "comparison_ended",
      name: "small",
      note: (text: string) => void notes.push(text),
    } as const;
    await tellingEnd({ ...told, times: TIMES }, async () => ({ result: "/r.json" }));
    const stopped = new CasslError("CANCELLED", "stopped", "go on");
    await assert.rejects(
      tellingEnd({ ...told, times: TIMES }, () => Promise.reject(stopped)),
      stopped,
    );
    const [first, second] = received.map(({ body }) => JSON.parse(body) as { event: string; detail: object });
    assert.equal(first?.event, "comparison_ended");
    assert.deepEqual(first?.detail, { state: "STATE_SUCCEEDED", result: "/r.json" });
    const error = { reason: "CANCELLED", message: "stopped", remedy: "go on" };
    assert.deepEqual(second?.detail, { state: "STATE_CANCELLED", error });
  });

  it("is not asked for where nobody is to be told, and says so where nobody hears", async () => {
    const told = { event: "sweep_ended", name: "small", note: (text: string) => void notes.push(text) } as const;
    await tellingEnd({ ...told, url: undefined }, async () => ({}));
    assert.deepEqual([received, notes], [[], []]);
    statuses = [400];
    await tellingEnd({ ...told, url, times: TIMES }, async () => ({}));
    assert.match(notes.join(), /was not told of `sweep_ended`: it answered 400/);
  });
});
