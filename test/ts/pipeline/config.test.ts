import assert from "node:assert/strict";
import { canonicalJson } from "../../../ts/core/hash.js";
import { RunConfig } from "../../../ts/gen/cassl/v1/run.js";
import { configJsonSchema, parseConfig, parseConfigText, toRunConfig } from "../../../ts/pipeline/config.js";
import { configTemplate } from "../../../ts/pipeline/config-template.js";

type Fields = Record<string, unknown>;

const annotated = (name: string) => ({ annotations: `${name}.json`, images: name });
const minimal = (change: Fields = {}): Fields => ({
  name: "test",
  data: { labeled: annotated("train"), unlabeled: { images: ["more"] }, validation: annotated("val") },
  ...change,
});
const withData = (change: Fields): Fields => minimal({ data: { ...(minimal()["data"] as Fields), ...change } });

const withThreshold = (score_threshold: unknown): Fields =>
  minimal({ stages: { pseudo_label: { select: { score_threshold } } } });

describe("the configuration", () => {
  it("has a default for everything but the name and the paths", () => {
    const config = parseConfig(minimal());
    assert.deepEqual(config.arms, ["supervised", "class_agnostic"]);
    assert.equal(config.stages.finetune.solver.augmentation.flip_probability, 0.5);
    assert.deepEqual(config.stages.warmup.solver, config.stages.pseudo_label.solver);
    assert.equal("take" in config.data.labeled, false);
  });

  it("changes nothing when it is parsed again", () => {
    const config = parseConfig(minimal({ solver: { iterations: 40 } }));
    assert.deepEqual(parseConfig(config), config);
  });

  it("fills what the detector leaves out from its preset", () => {
    const light = parseConfig(minimal()).detector;
    assert.deepEqual([light.family, light.backbone, light.input_width_px], ["light", "tf_efficientnet_lite0", 256]);
    const large = parseConfig(minimal({ detector: { preset: "resnet50", family: "faster_rcnn" } })).detector;
    assert.deepEqual([large.family, large.backbone, large.fpn_channels], ["faster_rcnn", "resnet50.tv_in1k", 256]);
    assert.equal("preset" in large, false);
  });

  it("asks for the configuration of a model that detectron2 describes", () => {
    const detector = { family: "detectron2", detectron2: { config: "COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml" } };
    assert.deepEqual(parseConfig(minimal({ detector })).detector.detectron2?.overrides, []);
    assert.throws(() => parseConfig(minimal({ detector: { family: "detectron2" } })), /detector.detectron2/);
    const solver = { ...detector.detectron2, overrides: ["SOLVER.BASE_LR=1"] };
    assert.throws(() => parseConfig(minimal({ detector: { ...detector, detectron2: solver } })), /MODEL.KEY=VALUE/);
  });

  describe("the data mapper of detectron2", () => {
    const config = "COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml";
    const mapped = { augmentation: { detectron2_mapper: true } };
    const of = (change: Fields, overrides: string[] = []): Fields =>
      minimal({ detector: { family: "detectron2", detectron2: { config, overrides } }, ...change });

    it("takes the place of the augmentation in the stages that name it, and may be changed then", () => {
      const parsed = parseConfig(of({ stages: { finetune: { solver: mapped } } }, ["INPUT.MIN_SIZE_TRAIN=(96,)"]));
      assert.equal(parsed.stages.finetune.solver.augmentation.detectron2_mapper, true);
      assert.equal("detectron2_mapper" in parsed.stages.warmup.solver.augmentation, false);
      assert.deepEqual(parseConfig(toRunConfig(parsed)), parsed);
    });

    it("is refused where it would be ignored, or ignore something", () => {
      const fault = (input: Fields, message: RegExp): void => {
        assert.throws(() => parseConfig(input), { reason: "CONFIG_INVALID", message });
      };
      fault(minimal({ solver: mapped }), /pseudo_label.*detectron2_mapper` must be false .*family `light`.*not true/);
      fault(of({ solver: mapped, targets: ["detectron2", "fcos"] }), /stages\.finetune.*family `fcos`/);
      fault(of({ solver: mapped, arms: ["mean_teacher"] }), /stages\.finetune.*arm mean_teacher/);
      fault(of({}, ["INPUT.MIN_SIZE_TRAIN=(96,)"]), /`detector\.detectron2\.overrides` must be of the model .*"INPUT/);
      const jittered = { augmentation: { detectron2_mapper: true, color_jitter: 0.4 } };
      fault(of({ solver: jittered }), /`stages\.pseudo_label.*color_jitter` must be left out .*not 0\.4/);
    });
  });

  it("may have another pseudo-labeler, which gives masks where the detector learns them", () => {
    const detector = { family: "mask_rcnn" };
    assert.throws(() => parseConfig(minimal({ detector, pseudo_labeler: {} })), /pseudo_labeler.family/);
    const config = parseConfig(minimal({ detector, pseudo_labeler: { family: "light_segmenter" } }));
    assert.deepEqual([config.detector.family, config.pseudo_labeler?.family], ["mask_rcnn", "light_segmenter"]);
  });

  it("suppresses by masks only where the detector gives some", () => {
    const byMasks = (family: string): Fields =>
      minimal({ detector: { family }, stages: { pseudo_label: { select: { nms_of: "masks" } } } });
    assert.equal(parseConfig(byMasks("light_segmenter")).stages.pseudo_label.select.nms_of, "masks");
    assert.throws(() => parseConfig(byMasks("fcos")), {
      reason: "CONFIG_INVALID",
      message: /nms_of.*`fcos`, which gives no masks/,
    });
    assert.equal("nms_of" in parseConfig(minimal()).stages.pseudo_label.select, false);
  });

  it("comes back from the wire the same", () => {
    for (const input of [
      minimal(),
      withData({ labeled: { ...annotated("train"), take: 20 } }),
      withData({ labeled: { ...annotated("train"), split_file: "ten.json" }, leak_firewall: { max_distance: 0.1 } }),
      withData({ labeled: { ...annotated("train"), format: "yolo", split: "train" } }),
      minimal({ pretrained: "/zoo/model.pth" }),
      minimal({ detector: { family: "mask_rcnn" }, stages: { pseudo_label: { select: { nms_of: "masks" } } } }),
      minimal({ arms: ["self_supervised", "mean_teacher"], baselines: { mean_teacher: { burn_in: 0 } } }),
      minimal({ seed: 2 ** 32 - 1, gates: { min_box_ratio: 0, override: ["max_collapse"] } }),
      ...[0.3, "auto", { policy: "auto", beta: 0.5 }, { policy: "boxes_per_image" }].map(withThreshold),
    ]) {
      const config = parseConfig(input);
      const received = RunConfig.decode(RunConfig.encode(toRunConfig(config)).finish());
      assert.equal(canonicalJson(parseConfig(received)), canonicalJson(config));
    }
  });

  const refused: [what: string, input: unknown, message: RegExp][] = [
    ["nothing", null, /mapping.*null/],
    ["a list", [], /mapping.*\[\]/],
    [
      "pairs of views that do not make a batch",
      minimal({ arms: ["self_supervised"], solver: { images_per_batch: 7 } }),
      /warmup\.solver\.images_per_batch.*even.*7/,
    ],
    [
      "a mean teacher without unlabeled images in its batches",
      minimal({ arms: ["mean_teacher"], baselines: { mean_teacher: { labeled_share: 0.97 } } }),
      /labeled_share.*batch of 8.*0\.97/,
    ],
    [
      "a mean teacher of masks",
      minimal({ arms: ["mean_teacher"], detector: { family: "mask_rcnn" } }),
      /without masks.*mask_rcnn/,
    ],
    [
      "a mean teacher that never learns from unlabeled images",
      minimal({ baselines: { mean_teacher: { burn_in: 1 } } }),
      /burn_in` is 1/,
    ],
    [
      "a pretraining with all of the backbone frozen",
      minimal({ baselines: { self_supervised: { frozen_stages: -1 } } }),
      /frozen_stages` is -1/,
    ],
    ["a missing name", { ...minimal(), name: undefined }, /^`name` is missing\.$/],
    ["a missing section", { name: "test" }, /^`data` is missing\.$/],
    ["a missing path", withData({ validation: { images: "val" } }), /^`data\.validation\.annotations` is missing\.$/],
    [
      "an unknown key at the top",
      minimal({ detectr: {} }),
      /Unknown key `detectr`\. The nearest valid key is `detector`/,
    ],
    [
      "an unknown key of one of several forms",
      withThreshold({ policy: "auto", foo: 1 }),
      /Unknown key `stages\.pseudo_label\.select\.score_threshold\.foo`\. The nearest valid key is/,
    ],
    ["an unknown key like `solver`", minimal({ sovler: {} }), /`sovler`.* `solver`/],
    [
      "an unknown key in a section",
      minimal({ gates: { min_box_ration: 1 } }),
      /`gates\.min_box_ration`.* `gates\.min_box_ratio`/,
    ],
    [
      "an unknown key in the shared solver",
      minimal({ solver: { learning_rat: 1 } }),
      /^Unknown key `solver\.learning_rat`.* `solver\.learning_rate`\.$/,
    ],
    [
      "an unknown key in the shared augmentation",
      minimal({ solver: { augmentation: { flip: 1 } } }),
      /`solver\.augmentation\.flip`.* `solver\.augmentation\./,
    ],
    ["an unknown key in a stage", minimal({ stages: { warm_up: {} } }), /`stages\.warm_up`.* `stages\.warmup`/],
    [
      "an unknown key in a stage's solver",
      minimal({ stages: { warmup: { solver: { iteration: 1 } } } }),
      /`stages\.warmup\.solver\.iteration`.* `stages\.warmup\.solver\.iterations`/,
    ],
    [
      "an unknown key at the deepest level",
      minimal({ stages: { finetune: { solver: { augmentation: { max_zom: 2 } } } } }),
      /`stages\.finetune\.solver\.augmentation\.max_zom`.* `stages\.finetune\.solver\.augmentation\.max_zoom`/,
    ],
    [
      "an unknown key in a required section",
      withData({ labeled: { ...annotated("train"), tak: 2 } }),
      /`data\.labeled\.tak`.* `data\.labeled\.take`/,
    ],
    ["an object's own key `__proto__`", JSON.parse('{"name":"test","__proto__":{}}'), /Unknown key `__proto__`/],
    ["a text for a number", minimal({ seed: "seven" }), /^`seed` is "seven": .*number/],
    ["a fraction for a count", minimal({ solver: { iterations: 1.5 } }), /`solver\.iterations` is 1\.5/],
    [
      "a count that the wire cannot hold",
      minimal({ solver: { iterations: 3e9 } }),
      /`solver\.iterations` is 3000000000/,
    ],
    [
      "a value out of its range",
      minimal({ stages: { finetune: { predict: { nms_iou: 1.1 } } } }),
      /`stages\.finetune\.predict\.nms_iou` is 1\.1/,
    ],
    ["a number that is none", minimal({ gates: { max_empty_share: Number.NaN } }), /`gates\.max_empty_share` is NaN/],
    ["an unknown choice", withData({ bad_boxes: "keep" }), /`data\.bad_boxes` is "keep": .*"clip"/],
    ["an unknown choice in a list", minimal({ arms: ["supervised", "magic"] }), /`arms\.1` is "magic"/],
    ["a number for a section", minimal({ detector: 3 }), /`detector` is 3/],
    ["an unknown preset", minimal({ detector: { preset: "huge" } }), /`detector\.preset` is "huge".*"light"/],
    ["an unknown family", minimal({ detector: { family: "yolo" } }), /`detector\.family` is "yolo".*"fcos"/],
    ["a repeated target", minimal({ targets: ["fcos", "fcos"] }), /`targets` is .*repeat/],
    ["a section left empty", minimal({ stages: null }), /`stages` is null/],
    [
      "a stage's solver left empty",
      minimal({ stages: { warmup: { solver: null } } }),
      /`stages\.warmup\.solver` is null/,
    ],
    ["a shared solver left empty", minimal({ solver: null }), /`solver` is null/],
    ["a text for a list", withData({ unlabeled: { images: "more" } }), /`data\.unlabeled\.images` is "more"/],
    ["a name that is no file name", minimal({ name: "a/b" }), /`name` is "a\/b".*letters/],
    ["a repeated arm", minimal({ arms: ["supervised", "supervised"] }), /`arms` is .*repeat/],
    [
      "a pull towards random weights",
      minimal({ detector: { backbone_weights: "none" }, stages: { warmup: { solver: { backbone_pull: 0.1 } } } }),
      /`stages\.warmup\.solver\.backbone_pull`.*not 0\.1/,
    ],
    [
      "a class predictor that is expanded without its tower",
      minimal({ stages: { finetune: { carry: ["backbone"], class_predictor: "expand" } } }),
      /`stages\.finetune\.carry` must have `classification_tower`.*\["backbone"\]/,
    ],
    [
      "pyramid levels out of order",
      minimal({ detector: { strides_px: [16, 8] } }),
      /`detector\.strides_px` is \[16,8\].*ascending/,
    ],
    [
      "an input side that is no multiple of 32",
      minimal({ detector: { input_width_px: 100 } }),
      /`detector\.input_width_px` is 100.*32/,
    ],
    [
      "a batch that cannot be split into equal parts",
      minimal({ solver: { images_per_batch: 8, gradient_accumulation: 3 } }),
      /`stages\.pseudo_label\.solver\.gradient_accumulation` must divide `images_per_batch`, 8, not 3/,
    ],
    [
      "copy-paste for a detector that learns no masks",
      minimal({ stages: { warmup: { solver: { augmentation: { copy_paste: 0.5 } } } } }),
      /`stages\.warmup\.solver\.augmentation\.copy_paste` must be 0 for the detector family `light`.*not 0\.5/,
    ],
    [
      "a ramp as long as the training",
      minimal({ solver: { iterations: 30 } }),
      /`stages\.pseudo_label\.solver\.lr_ramp_iterations` must be below `iterations`, 30, not 30/,
    ],
    [
      "a score threshold above 1",
      withThreshold(1.5),
      /`stages\.pseudo_label\.select\.score_threshold` is 1\.5: must be a score/,
    ],
    ["a policy that there is not", withThreshold({ policy: "best" }), /score_threshold` is .*"best".*precision: 0\.8/],
    [
      "a threshold chosen on nothing",
      minimal({ stages: { pseudo_label: { held_out: 0 } } }),
      /`stages\.pseudo_label\.held_out` must be above 0 .*`auto`.* not 0/,
    ],
    [
      "a gate to override that there is not",
      minimal({ gates: { override: ["max_fun"] } }),
      /`gates\.override\.0`.*max_fun/,
    ],
    ["gates that nothing passes", minimal({ gates: { min_box_ratio: 6 } }), /`gates\.min_box_ratio` .* 5, not 6/],
    [
      "the rest of all labeled images",
      withData({ unlabeled: { images: ["more"], rest_of_labeled: true } }),
      /rest_of_labeled.*data\.labeled\.take/,
    ],
    [
      "both a split and a count",
      withData({ labeled: { ...annotated("train"), take: 2, split_file: "ten.json" } }),
      /`data\.labeled\.take` must be left out beside `data\.labeled\.split_file`.* 2\./,
    ],
    [
      "a distance above 1",
      withData({ leak_firewall: { max_distance: 1.5 } }),
      /`data\.leak_firewall\.max_distance` is 1\.5/,
    ],
    ["more pixels than Pillow decodes", withData({ max_image_pixels: 2e8 }), /`data\.max_image_pixels` is 200000000/],
  ];
  for (const [what, input, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseConfig(input), { reason: "CONFIG_INVALID", message });
    });
  }

  it("takes a number as a fixed score threshold, and a word as a policy", () => {
    const thresholdOf = (input: Fields) => parseConfig(input).stages.pseudo_label.select.score_threshold;
    assert.deepEqual(thresholdOf(minimal()), { policy: "auto", beta: 1 });
    assert.deepEqual(thresholdOf(withThreshold("auto")), { policy: "auto", beta: 1 });
    assert.deepEqual(thresholdOf(withThreshold(0.25)), { policy: "fixed", score: 0.25 });
    assert.deepEqual(thresholdOf(withThreshold({ policy: "boxes_per_image" })), {
      policy: "boxes_per_image",
      ratio: 1,
    });
  });

  it("names every fault at once", () => {
    assert.throws(
      () => parseConfig(minimal({ seed: -1, gatess: {}, detector: { fpn: 1 } })),
      ({ message }: Error) => {
        assert.equal(message.split("\n").length, 3);
        return true;
      },
    );
  });

  it("refuses to have no unlabeled images, and offers the arm that needs none", () => {
    assert.throws(() => parseConfig(withData({ unlabeled: {} })), {
      reason: "DATASET_EMPTY",
      message: /class_agnostic/,
      remedy: /supervised/,
    });
    assert.doesNotThrow(() => parseConfig({ ...withData({ unlabeled: {} }), arms: ["supervised"] }));
    const rest = { labeled: { ...annotated("train"), take: 5 }, unlabeled: { rest_of_labeled: true } };
    assert.doesNotThrow(() => parseConfig(withData(rest)));
  });
});

describe("the shared solver", () => {
  const solvers = (change: Fields) => Object.values(parseConfig(minimal(change)).stages).map(({ solver }) => solver);

  it("is what every stage starts from", () => {
    assert.deepEqual(
      solvers({ solver: { iterations: 70 } }).map(({ iterations }) => iterations),
      [70, 70, 70],
    );
  });

  it("gives way to a stage, key by key, down to the augmentation", () => {
    const shared = { iterations: 70, learning_rate: 0.1, augmentation: { min_zoom: 0.5, color_jitter: 0 } };
    const stages = { warmup: { solver: { iterations: 90, augmentation: { color_jitter: 0.4 } } } };
    const [pseudoLabel, warmup] = solvers({ solver: shared, stages });
    assert.deepEqual(warmup, {
      ...pseudoLabel,
      iterations: 90,
      augmentation: {
        flip_probability: 0.5,
        min_zoom: 0.5,
        max_zoom: 1.25,
        color_jitter: 0.4,
        multi_scale: 0,
        copy_paste: 0,
      },
    });
    assert.equal(warmup?.learning_rate, 0.1);
  });

  it("is not part of the configuration that comes out", () => {
    assert.equal("solver" in parseConfig(minimal({ solver: {} })), false);
  });
});

describe("the text of cassl.yaml", () => {
  const text = `
name: test
data:
  labeled: { annotations: labels/train.json, images: ../photos }
  unlabeled: { images: [more, /abs/more] }
  validation: { annotations: /abs/val.json, images: . }
`;

  it("has paths relative to its folder", () => {
    const { data } = parseConfigText(text, "/home/me/project/cassl.yaml");
    const format = "auto";
    assert.deepEqual(data.labeled, {
      annotations: "/home/me/project/labels/train.json",
      images: "/home/me/photos",
      format,
    });
    assert.deepEqual(data.unlabeled.images, ["/home/me/project/more", "/abs/more"]);
    assert.deepEqual(data.validation, { annotations: "/abs/val.json", images: "/home/me/project", format });
    const withWeights = parseConfigText(`${text}\npretrained: zoo/model.pth\n`, "/home/me/cassl.yaml");
    assert.equal(withWeights.pretrained, "/home/me/zoo/model.pth");
    const withSplit = text.replace("labeled: {", "labeled: { split_file: splits/ten.json,");
    assert.equal(parseConfigText(withSplit, "/home/me/cassl.yaml").data.labeled.split_file, "/home/me/splits/ten.json");
  });

  const refused: [what: string, text: string, message: RegExp][] = [
    ["a bracket that is not closed", "name: [a", /cassl\.yaml is not YAML: .*line 1/],
    ["a key twice", "name: a\nname: b", /not YAML: .*unique/],
    ["an indent that fits nothing", "name: a\n  seed: 1\n seed: 2", /not YAML/],
    ["nothing", "", /mapping.*null/],
    ["words", "just words", /mapping.*"just words"/],
  ];
  for (const [what, broken, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseConfigText(broken, "/a/cassl.yaml"), { reason: "CONFIG_INVALID", message });
    });
  }
});

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Record<string, Schema>;
  readonly additionalProperties?: boolean;
}

function leaves(schema: Schema, path: string[] = []): [path: string[], schema: Schema][] {
  if (schema.properties === undefined) return [[path, schema]];
  return Object.entries(schema.properties).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

describe("the JSON Schema", () => {
  const schema = configJsonSchema() as Schema;

  it("explains every field, and has its default", () => {
    const withoutDefault = leaves(schema).filter(([, field]) => field.default === undefined);
    assert.deepEqual(
      withoutDefault.map(([path]) => path.join(".")),
      [
        "name",
        "data.labeled.annotations",
        "data.labeled.images",
        "data.labeled.split",
        "data.labeled.take",
        "data.labeled.split_file",
        "data.validation.annotations",
        "data.validation.images",
        "data.validation.split",
        ...["detector", "pseudo_labeler"].flatMap((name) => [
          ...Object.keys(parseConfig(minimal()).detector).map((field) => `${name}.${field}`),
          `${name}.detectron2.config`,
        ]),
        "pretrained",
        "solver.augmentation.detectron2_mapper",
        "stages.pseudo_label.solver.augmentation.detectron2_mapper",
        "stages.pseudo_label.select.nms_of",
        "stages.warmup.solver.augmentation.detectron2_mapper",
        "stages.finetune.solver.augmentation.detectron2_mapper",
      ],
    );
    for (const [path, { description }] of leaves(schema))
      assert.ok(description, `${path.join(".")} has no description`);
  });

  it("allows no other keys, at any depth", () => {
    const check = (at: unknown): number => {
      if (typeof at !== "object" || at === null) return 0;
      const isOfKeys = "properties" in at;
      if (isOfKeys) assert.equal((at as Schema).additionalProperties, false);
      return Object.values(at).reduce((count: number, inner) => count + check(inner), Number(isOfKeys));
    };
    assert.ok(check(schema) > 30);
  });
});

describe("the template of cassl.yaml", () => {
  const template = configTemplate();

  it("is a configuration with every default", () => {
    const config = parseConfigText(template, "/project/cassl.yaml");
    const { name, data } = config;
    const { labeled, unlabeled, validation } = data;
    assert.equal(canonicalJson(config), canonicalJson(parseConfig({ name, data: { labeled, unlabeled, validation } })));
  });

  it("has every field", () => {
    const shared = /^stages\.\w+\.solver\./;
    for (const [path] of leaves(configJsonSchema())) {
      if (shared.test(path.join("."))) continue;
      const line = `${"  ".repeat(path.length - 1)}(# )?${path.at(-1)}:`;
      assert.match(template, new RegExp(`^${line}`, "m"), `${path.join(".")} is not in the template`);
    }
  });

  it("explains every line", () => {
    const lines = template.split("\n").filter((line) => line !== "");
    for (const [index, line] of lines.entries())
      assert.ok(line.includes("# ") || lines[index - 1]?.trim().startsWith("# "), line);
  });
});
