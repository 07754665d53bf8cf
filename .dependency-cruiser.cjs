// The import arrows of ARCHITECTURE.md, and one door per dependency.

/** For each folder of ts/, the folders that it may import from besides itself and generated code. */
const arrows = {
  core: [],
  parquet: ["core"],
  images: ["core"],
  data: ["core", "images", "masks", "parquet"],
  labels: ["core", "masks", "parquet"],
  masks: ["core"],
  evaluation: ["core", "images", "masks"],
  pipeline: ["core", "images", "data", "labels", "evaluation"],
  comparison: ["core", "data", "evaluation", "pipeline"],
  sweep: ["core", "pipeline"],
  report: ["core", "images", "masks", "data", "pipeline", "evaluation", "comparison"],
  grpc: ["core"],
  ray: ["core", "grpc", "pipeline"],
  controller: [
    "core",
    "images",
    "masks",
    "grpc",
    "data",
    "labels",
    "evaluation",
    "pipeline",
    "comparison",
    "report",
    "ray",
  ],
  client: ["core", "grpc", "pipeline"],
  dashboard: [
    "core",
    "images",
    "masks",
    "data",
    "labels",
    "evaluation",
    "grpc",
    "pipeline",
    "comparison",
    "report",
    "controller",
  ],
};

/** For each dependency, the only files that may import it. */
const doors = {
  "@duckdb/node-api": "^ts/parquet/",
  "@duckdb/node-bindings": "^ts/parquet/",
  zeromq: "^ts/controller/(frames|frame-encryption)\\.ts$",
  "@photostructure/sqlite": "^ts/controller/sqlite\\.ts$",
  "@grpc/grpc-js": "^ts/(grpc|controller|client|gen)/",
  "grpc-health-check": "^ts/grpc/health\\.ts$",
  "onnxruntime-node": "^ts/evaluation/onnx/",
  saxes: "^ts/data/formats/voc/xml\\.ts$",
  express: "^ts/dashboard/",
  helmet: "^ts/dashboard/",
  "prom-client": "^ts/dashboard/metrics\\.ts$",
  uplot: "^ts/dashboard/page/",
  sharp: "^ts/(data/inspect-image\\.ts$|data/formats/image-size\\.ts$|evaluation/onnx/|images/thumbnail\\.ts$)",
};

const arrowRules = Object.entries(arrows).map(([folder, allowed]) => ({
  name: `${folder}-imports`,
  comment: `ts/${folder} may import from ${[...allowed, "generated code"].join(", ")}.`,
  severity: "error",
  from: { path: `^ts/${folder}/` },
  to: { path: "^ts/", pathNot: `^ts/(${[folder, "gen", ...allowed].join("|")})/` },
}));

const doorRules = Object.entries(doors).map(([dependency, door]) => ({
  name: `door-of-${dependency.replace("@", "").replace("/", "-")}`,
  comment: `${dependency} is imported in ${door} alone.`,
  severity: "error",
  from: { path: "^ts/", pathNot: door },
  to: { path: `^node_modules/${dependency}/` },
}));

module.exports = {
  forbidden: [
    ...arrowRules,
    ...doorRules,
    {
      name: "dashboard-in-the-browser",
      comment: "What the browser runs imports nothing that needs Node.js.",
      severity: "error",
      from: { path: "^ts/dashboard/(page|view|wire)/" },
      to: {
        path: "^ts/",
        pathNot: "^ts/(dashboard/(page|view|wire)/|core/boxes\\.ts$|report/(format|loss-names)\\.ts$|gen/)",
        dependencyTypesNot: ["type-only"],
      },
    },
    { name: "no-cycles", severity: "error", from: { pathNot: "^ts/gen/" }, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-development-packages",
      comment: "ts/ runs on what package.json lists as dependencies.",
      severity: "error",
      from: { path: "^ts/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
