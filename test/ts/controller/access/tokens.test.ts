import assert from "node:assert/strict";
import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createFailedLogins } from "../../../../ts/controller/access/failed-logins.js";
import { checkAccess } from "../../../../ts/controller/access/guard.js";
import { addToken, createToken, findToken, readTokens } from "../../../../ts/controller/access/tokens.js";
import { makeFolder } from "../workbench.js";

const GET_RUN = "/cassl.v1.ControllerService/GetRun";

describe("tokens", () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await makeFolder();
    file = join(folder, "tokens");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("are found by their hash, which is all that the file has", async () => {
    const [worker, client] = [createToken("worker", "lab-1"), createToken("client", "ann")];
    await addToken(file, worker.record);
    await addToken(file, client.record);
    const records = await readTokens(file);
    assert.deepEqual(findToken(records, worker.token), worker.record);
    assert.deepEqual(findToken(records, client.token), client.record);
    assert.equal(findToken(records, `${client.token}x`), undefined);
    assert.equal(findToken(records, ""), undefined);
    const text = await readFile(file, "utf8");
    assert.ok(!text.includes(worker.token) && !text.includes(client.token));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it("are of 256 bits and never the same", () => {
    const tokens = Array.from({ length: 100 }, () => createToken("client", "a").token);
    assert.equal(new Set(tokens).size, 100);
    for (const token of tokens) assert.match(token, /^cassl-client-[A-Za-z0-9_-]{43}$/);
  });

  it("are refused with the number of the line that is none, which is not shown", async () => {
    await writeFile(file, "# ours\n\nclient ann secret\n", { mode: 0o600 });
    await assert.rejects(readTokens(file), (error: Error) => {
      assert.match(error.message, /Line 3 of/);
      return !error.message.includes("secret");
    });
  });

  it("are refused from a file that others can read, that is empty, or that is not there", async () => {
    await assert.rejects(readTokens(file), { reason: "FILE_NOT_FOUND" });
    await writeFile(file, "", { mode: 0o600 });
    await assert.rejects(readTokens(file), { reason: "CONFIG_INVALID", remedy: /cassl token create/ });
    await addToken(file, createToken("client", "ann").record);
    await chmod(file, 0o640);
    await assert.rejects(readTokens(file), { reason: "CONFIG_INVALID", message: /640/, remedy: /chmod 600/ });
  });

  it("cannot have a name that would break the file", () => {
    for (const name of ["", "a b", "a\nclient", "x".repeat(65)])
      assert.throws(() => createToken("client", name), { reason: "CONFIG_INVALID" });
  });

  describe("at a call", () => {
    const { token, record } = createToken("read-only", "screen");
    const call = (path: string, header: string, failed = createFailedLogins()): void =>
      checkAccess(path, header, "10.0.0.5", [record], failed);

    it("let in whom the rule names", () => {
      call(GET_RUN, `Bearer ${token}`);
      call(GET_RUN, `bearer ${token}`);
      call("/grpc.health.v1.Health/Check", "");
    });

    it("are asked for, and are not in what is said of them", () => {
      assert.throws(() => call(GET_RUN, ""), { reason: "UNAUTHENTICATED", message: /no token/ });
      assert.throws(() => call(GET_RUN, `Basic ${token}`), { reason: "UNAUTHENTICATED", message: /no token/ });
      assert.throws(
        () => call(GET_RUN, "Bearer guessed-token"),
        (error: Error) => error.message.includes("none of this controller's") && !error.message.includes("guessed"),
      );
    });

    it("do not let in whose role may not", () => {
      assert.throws(() => call("/cassl.v1.ControllerService/CancelRun", `Bearer ${token}`), {
        reason: "PERMISSION_DENIED",
        message: /screen has the role read-only.*CancelRun/,
        remedy: /client/,
      });
      assert.throws(() => call("/cassl.v1.ControllerService/Nothing", `Bearer ${token}`), {
        reason: "PERMISSION_DENIED",
      });
    });

    it("are not even looked at while an address keeps failing", () => {
      let now = 0;
      const failed = createFailedLogins(() => now);
      for (let attempt = 0; attempt < 30; attempt++)
        assert.throws(() => call(GET_RUN, "Bearer x", failed), { reason: "UNAUTHENTICATED" });
      assert.throws(() => call(GET_RUN, `Bearer ${token}`, failed), {
        reason: "LIMIT_EXCEEDED",
        message: /10\.0\.0\.5/,
      });
      checkAccess(GET_RUN, `Bearer ${token}`, "10.0.0.6", [record], failed);
      now = 60_000;
      call(GET_RUN, `Bearer ${token}`, failed);
    });
  });
});
