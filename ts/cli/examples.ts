/** What `--help` of each command shows at its end. A test parses them all. */
import type { Command } from "commander";

/** By the names of a command and those above it. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  init: ["cassl init", "cassl init experiments/blood.yaml"],
  check: ["cassl check cassl.yaml", "cassl check annotations/ --from voc --images photos/ --html findings.html"],
  convert: ["cassl convert instances.json yolo/ --to yolo", "cassl convert voc/ coco/ --to coco --map kitty=cat"],
  curate: ["cassl curate cassl.yaml", "cassl curate cassl.yaml --set data.leak_firewall.max_distance=0.05"],
  split: [
    "cassl split instances.json --out splits/",
    "cassl split instances.json --percent 1,10 --folds 3 --out splits/",
  ],
  plan: ["cassl plan cassl.yaml", "cassl plan cassl.yaml --probe"],
  run: [
    "cassl run cassl.yaml",
    "cassl run cassl.yaml --ui --set seed=1 --set stages.finetune.solver.iterations=300",
    "cassl run cassl.yaml --mlflow http://127.0.0.1:5000 --webhook https://example.org/hook",
    "cassl run cassl.yaml --json > events.jsonl",
  ],
  compare: ["cassl compare cassl.yaml", "cassl compare cassl.yaml --seeds 5 --fractions 1,5,10"],
  rank: ["cassl rank", "cassl rank blood-20260301-140509 blood-20260302-090000"],
  sweep: ["cassl sweep cassl.yaml --space space.yaml --trials 30", "cassl sweep cassl.yaml --grid grid.yaml --rungs 1"],
  report: ["cassl report latest", "cassl report blood-20260301-140509 --no-open"],
  select: ["cassl select latest --threshold 0.3,0.5", "cassl select latest --threshold 0.5 --out labels.parquet"],
  "labels export": ["cassl labels export latest review/ --to label-studio"],
  "labels import": ["cassl labels import latest reviewed.json round-2/"],
  serve: [
    "cassl serve",
    "cassl serve --listen 0.0.0.0:7070 --tls-cert cert.pem --tls-key key.pem --tokens tokens.json --data-root /data",
    "cassl serve --workers 0 --webhook https://example.org/hook",
  ],
  submit: ["cassl submit cassl.yaml --watch", "cassl submit cassl.yaml --priority 5 --controller lab:7070"],
  watch: ["cassl watch blood-20260301-140509", "cassl watch blood-20260301-140509 --tensorboard curves/"],
  cancel: ["cassl cancel blood-20260301-140509"],
  retry: ["cassl retry blood-20260301-140509"],
  runs: ["cassl runs", "cassl runs --controller 127.0.0.1:7070 --state running"],
  workers: ["cassl workers", "cassl workers --controller lab:7070 --json"],
  "token create": ["cassl token create --role worker --tokens tokens.json"],
  eval: ["cassl eval instances.json detections.json --diagnose", "cassl eval gt.json new.json --against old.json"],
  predict: [
    "cassl predict model.onnx photos/ --out detections.json",
    "cassl predict model.onnx a.jpg --out a.json --draw drawn/",
  ],
  health: ["cassl health", "cassl health --controller lab:7070 --tls-ca cert.pem"],
  certify: ["cassl certify model.onnx"],
  doctor: ["cassl doctor", "cassl doctor --python /opt/venv/bin/python"],
  completion: ["cassl completion bash >> ~/.bashrc", "cassl completion fish > ~/.config/fish/completions/cassl.fish"],
  gc: ["cassl gc", "cassl gc --delete"],
};

/** Adds the examples of all commands below one. */
export function addExamples(command: Command, above = ""): void {
  for (const child of command.commands) {
    const path = `${above} ${child.name()}`.trim();
    const examples = EXAMPLES[path];
    if (examples !== undefined)
      child.addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
    addExamples(child, path);
  }
}
