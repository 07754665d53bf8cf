import assert from "node:assert/strict";
import { RULES, ruleOf } from "../../../../ts/controller/access/rules.js";
import { descriptors } from "../../../../ts/grpc/descriptors.js";

describe("access rules", () => {
  const rpcs = [...descriptors()].flatMap((type) =>
    type.kind === "service" ? type.methods.map(({ name }) => `${type.typeName}/${name}`) : [],
  );

  it("has one for every RPC of every service, and none for what is no RPC", () => {
    assert.deepEqual(Object.keys(RULES).sort(), rpcs.sort());
  });

  it("lets nobody do what has no rule", () => {
    assert.deepEqual(ruleOf("/cassl.v1.ControllerService/DropEverything"), []);
    assert.deepEqual(ruleOf("/constructor"), []);
    assert.deepEqual(ruleOf(""), []);
  });

  it("lets readers change nothing, and workers see no runs", () => {
    const allowed = (role: string): string[] => rpcs.filter((rpc) => ruleOf(`/${rpc}`).includes(role as never));
    for (const rpc of allowed("read-only")) assert.match(rpc, /\/(Get|List|Watch|Stat|Stream|Plan|ServerReflection)/);
    for (const rpc of allowed("worker")) assert.doesNotMatch(rpc, /ControllerService/);
    assert.ok(!allowed("client").includes("cassl.v1.WorkerService/Attach"));
  });

  it("takes the older name of server reflection as the newer", () => {
    const path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    assert.deepEqual(ruleOf(path), ruleOf(path.replace("v1alpha", "v1")));
  });
});
