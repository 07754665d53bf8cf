/** Who may ask the dashboard for what, over real HTTP. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { ConcludedRow } from "../../../ts/dashboard/wire/comparison.js";
import type { Overview } from "../../../ts/dashboard/wire/runs.js";
import { type GuardedLab, type GuardedRole, openGuardedLab } from "../../e2e/guarded-lab.js";
import { type Lab, openLab } from "../../e2e/lab.js";
import { writeConcluded } from "./concluded.js";
import { storeRun } from "./stored-run.js";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** `fetch` would not let a test lie about its host. */
function ask(url: string, headers: Record<string, string> = {}, method = "GET", body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { "content-type": "application/json", ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The messages of a stream of events. */
async function* follow(url: string): AsyncGenerator<Overview, void> {
  const leaving = new AbortController();
  try {
    const { body } = await fetch(url, { signal: leaving.signal });
    let text = "";
    for await (const chunk of body!) {
      text += Buffer.from(chunk as Uint8Array).toString();
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [, data] = /^data: (.*)$/m.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (data !== undefined) yield JSON.parse(data) as Overview;
      }
    }
  } finally {
    leaving.abort();
  }
}

async function idsOf(stream: AsyncGenerator<Overview, void>): Promise<string[]> {
  const { value } = await stream.next();
  return value?.runs.map(({ id }) => id) ?? [];
}

/** Runs that an earlier controller has left. */
const STORED = Array.from({ length: 450 }, (_, index) => `stored-${index}`);
const OWN = { "x-cassl-dashboard": "1" };

describe("dashboard, requests", function () {
  this.timeout(60_000);
  let lab: Lab;

  before(async () => {
    lab = await openLab();
    lab.work();
    await lab.finish("first");
    const { state } = lab.controller.parts;
    state.transaction(() => {
      for (const name of STORED) storeRun(state, name, lab.config, {});
    });
  });
  after(() => lab.remove());

  const get = (path: string, headers = {}) => ask(lab.dashboard.url + path, headers);
  const post = (path: string, headers = {}, body = "{}") => ask(lab.dashboard.url + path, headers, "POST", body);

  it("has a content security policy without exceptions, and no header that tells of express", async () => {
    const { headers } = await get("/");
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'.*script-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(headers["x-powered-by"], undefined);
    assert.equal(headers["x-content-type-options"], "nosniff");
  });

  it("answers to no foreign name, which a page of another origin may have given this machine", async () => {
    for (const host of ["evil.example", "evil.example:7071", "127.0.0.1.evil.example"]) {
      const { status, text } = await get("/api/overview", { host });
      assert.equal(status, 403, host);
      assert.match(text, /PERMISSION_DENIED/);
    }
    assert.equal((await get("/api/overview", { host: "localhost:1234" })).status, 200);
  });

  it("lets no page of another origin read or change anything", async () => {
    assert.equal((await get("/api/overview", { "sec-fetch-site": "cross-site" })).status, 403);
    assert.equal((await get("/api/overview", { "sec-fetch-site": "same-site" })).status, 403);
    assert.equal((await get("/", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).status, 200);
    assert.equal((await post("/api/runs/first/retry")).status, 403);
    assert.equal((await post("/api/runs/first/retry", { ...OWN, "sec-fetch-site": "cross-site" })).status, 403);
  });

  it("answers faults with reason, message and remedy", async () => {
    const cases = [
      [await get("/api/runs/nothing"), 404, "RUN_NOT_FOUND"],
      [await post("/api/runs/first/retry", OWN), 409, "RUN_FINISHED"],
      [await post("/api/runs/first/override-gates", OWN, '{"gates":["min_recall"]}'), 409, "GATE_NOT_FAILED"],
      [await post("/api/runs/first/override-gates", OWN, '{"gates":"all"}'), 400, "REQUEST_INVALID"],
      [await post("/api/runs/first/retry", OWN, "{"), 400, "REQUEST_INVALID"],
      [await get("/api/artifacts/..%2f..%2fstate.db"), 400, "REQUEST_INVALID"],
      [await get(`/api/artifacts/${"0".repeat(64)}`), 404, "ARTIFACT_NOT_FOUND"],
      [await get("/api/runs/first/files/config.json"), 404, "FILE_NOT_FOUND"],
      [await get("/api/runs/..%2f..%2f/files/report.html"), 404, "RUN_NOT_FOUND"],
      [await get("/assets/..%2f..%2fapp.js"), 404, "FILE_NOT_FOUND"],
      [await get("/nothing"), 404, "FILE_NOT_FOUND"],
    ] as const;
    for (const [{ status, text }, wanted, reason] of cases) {
      assert.equal(status, wanted, text);
      const failure = JSON.parse(text);
      assert.deepEqual([failure.reason, typeof failure.remedy], [reason, "string"], text);
    }
  });

  it("gives the events after a number, artifacts as downloads, and the report in a sandbox", async () => {
    const all = await get("/api/runs/first/events");
    assert.match(all.text, /^retry: 1000\n\nid: 1\ndata: /);
    assert.match(all.text, /event: end\ndata: \{\}\n\n$/);
    const count = all.text.match(/^id: /gm)?.length ?? 0;
    const last = await get(`/api/runs/first/events?after=${count - 1}`);
    assert.equal(last.text.match(/^id: /gm)?.length, 1);
    assert.equal((await get("/api/runs/first/events", { "last-event-id": String(count) })).text.match(/^id: /gm), null);
    const { artifacts, evaluations } = JSON.parse((await get("/api/runs/first")).text);
    assert.ok(evaluations.length > 0);
    const artifact = await get(`/api/artifacts/${artifacts[0].sha256}?name=a/../b"c`);
    assert.equal(artifact.headers["content-disposition"], "attachment; filename=a_.._b_c");
    const report = await get("/api/runs/first/files/report.html");
    assert.match(String(report.headers["content-security-policy"]), /sandbox/);
  });

  it("gives Prometheus its metrics", async () => {
    const { text, headers } = await get("/metrics");
    assert.match(String(headers["content-type"]), /text\/plain; version=0\.0\.4/);
    assert.match(text, /^cassl_runs\{state="succeeded"\} 1$/m);
    assert.match(text, /^cassl_workers\{activity="idle"\} 1$/m);
    assert.match(text, /^cassl_prediction_frames_total\{fate="\w+"\} \d+$/m);
  });

  it("lists all runs, the newest first, however many there are", async () => {
    const { runs } = JSON.parse((await get("/api/overview")).text) as Overview;
    assert.deepEqual(
      runs.map(({ id }) => id),
      [...[...STORED].reverse(), "first"],
    );
  });

  it("tells of all runs first, and then of those that have changed", async () => {
    const all = follow(`${lab.dashboard.url}/api/overview/events`);
    const one = follow(`${lab.dashboard.url}/api/overview/events?run=second`);
    assert.ok((await idsOf(all)).includes("first"));
    assert.deepEqual(await idsOf(one), []);
    await lab.create("second", { seed: 9 });
    for (const stream of [all, one]) {
      const seen: string[] = [];
      while (!seen.includes("second")) seen.push(...(await idsOf(stream)));
      assert.deepEqual([...new Set(seen)], ["second"]);
      await stream.return();
    }
  });

  it("tells of a run that was tried again and has ended again between two looks", async () => {
    const refused = { labeled: { ...lab.config.data!.labeled!, annotations: "/nothing.json" } };
    await lab.finish("again", { data: { ...lab.config.data!, ...refused } });
    const stream = follow(`${lab.dashboard.url}/api/overview/events?run=again`);
    const first = (await stream.next()).value?.runs[0];
    await lab.client.retryRun("again");
    for await (const _ of lab.client.watchRun("again"));
    for (let last = first; last?.state !== "failed" || last.finished === first?.finished; )
      last = (await stream.next()).value?.runs[0];
    await stream.return();
  });

  it("lists what comparisons have concluded, the latest first, and gives no file beside them", async () => {
    const folder = join(lab.folder, ".cassl", "comparisons");
    assert.deepEqual(JSON.parse((await get("/api/comparisons")).text), []);
    await writeConcluded(join(folder, "blood-1"));
    await mkdir(join(folder, "broken"));
    await writeFile(join(folder, "broken", "result.json"), `{"runs": []`);
    const rows = JSON.parse((await get("/api/comparisons")).text) as ConcludedRow[];
    assert.deepEqual(
      rows.map(({ id, runs, fault }) => [id, runs, fault === undefined]),
      [
        ["blood-1", 2, true],
        ["broken", 0, false],
      ],
    );
    assert.equal((await get("/api/comparisons/broken")).status, 500);
    for (const id of ["gone", "..", "%2e%2e", "..%2fruns", "blood-1%2f.."])
      assert.equal((await get(`/api/comparisons/${id}`)).status, 404, id);
    const report = await get("/api/comparisons/blood-1/report");
    assert.equal(report.status, 200);
    assert.match(String(report.headers["content-security-policy"]), /sandbox/);
    assert.equal((await get("/api/comparisons/broken/report")).status, 404);
  });

  describe("where tokens are demanded", () => {
    let guarded: GuardedLab;

    before(async () => {
      guarded = await openGuardedLab(lab.folder);
    });
    after(() => guarded.stop());

    const at = (path: string, role?: GuardedRole, method = "GET") =>
      ask(
        guarded.url + path,
        { ...OWN, ...(role === undefined ? {} : { authorization: `Bearer ${guarded.tokens[role]}` }) },
        method,
      );

    it("has the roles of the API", async () => {
      assert.equal((await at("/api/overview")).status, 401);
      assert.equal((await at("/metrics")).status, 401);
      assert.equal((await at("/api/overview", "worker")).status, 403);
      assert.equal((await at("/api/overview", "read-only")).status, 200);
      assert.equal((await at("/api/runs/x/cancel", "read-only", "POST")).status, 403);
      assert.equal((await at("/api/runs/x/cancel", "client", "POST")).status, 404);
      assert.equal((await at("/")).status, 200);
      const session = JSON.parse((await at("/api/session", "read-only")).text);
      assert.deepEqual([session.signInNeeded, session.mayChange], [false, false]);
    });

    it("keeps the token of who signs in where no script can read it", async () => {
      const { url, tokens } = guarded;
      const signIn = (token: string) => ask(`${url}/api/session`, OWN, "POST", JSON.stringify({ token }));
      assert.equal((await signIn("wrong")).status, 401);
      const { status, headers } = await signIn(tokens.client);
      const [cookie = ""] = headers["set-cookie"] as string[];
      assert.equal(status, 200);
      assert.match(cookie, /HttpOnly; SameSite=Strict/);
      const shown = { cookie: cookie.split(";")[0] as string };
      assert.equal((await ask(`${url}/api/overview`, shown)).status, 200);
      assert.equal(JSON.parse((await ask(`${url}/api/session`, shown)).text).isSignedIn, true);
      assert.equal((await ask(`${url}/api/runs/x/cancel`, shown, "POST")).status, 403);
      const signedOut = await ask(`${url}/api/session`, { ...OWN, ...shown }, "DELETE");
      assert.match(String(signedOut.headers["set-cookie"]), /^cassl-token=; .*Expires=Thu, 01 Jan 1970/);
    });

    it("refuses a cookie that is no token", async () => {
      for (const cookie of ["cassl-token=%", "cassl-token=", "cassl-token=cassl-client-x; a=b"])
        assert.equal((await ask(`${guarded.url}/api/overview`, { cookie })).status, 401, cookie);
    });
  });
});
