/** What the evaluations of a run say, made once it is asked for, and kept for a while. */
import type { ControllerParts } from "../../controller/controller.js";
import { evaluationSteps, stepOutputs } from "../../controller/step-outputs.js";
import { CasslError } from "../../core/errors.js";
import { askThread } from "../../core/thread.js";
import type { CuratedData } from "../../data/curate.js";
import type { EvaluationSummary } from "../../evaluation/evaluate-onnx.js";
import { createRecent } from "../recent.js";
import type { EvaluatedImages, EvaluationView, IouType } from "../wire/evaluation.js";
import type { Evaluated, EvaluationRequest } from "./evaluated.js";
import { type ChosenCell, imagesOfCell, worstImagesOf } from "./evaluated-images.js";

export interface AskedEvaluation {
  /** Empty: that of the last arm. */
  readonly step: string;
  readonly iouType: IouType;
}

/** FILE_NOT_FOUND if the run has no such evaluation; ARTIFACT_NOT_FOUND if its detections are gone. */
export interface Evaluations {
  describe(runId: string, asked: AskedEvaluation): Promise<EvaluationView>;
  /** @param cell undefined: the worst images. */
  images(runId: string, asked: AskedEvaluation, cell: ChosenCell | undefined): Promise<EvaluatedImages>;
}

type EvaluationParts = Pick<ControllerParts, "state" | "artifacts">;

interface StoredEvaluation {
  readonly step: string;
  readonly steps: readonly string[];
  readonly summary: EvaluationSummary;
  readonly curated: CuratedData;
}

const KEPT_BYTES = 32 * 2 ** 20;
/** Of the objects that describe an image or a class, about. */
const BYTES_OF_IMAGE = 300;
const BYTES_OF_CLASS = 4000;

export function createEvaluations({ state, artifacts }: EvaluationParts): Evaluations {
  const evaluations = createRecent<Evaluated>(KEPT_BYTES, sizeOf);

  function find(runId: string, step: string): StoredEvaluation {
    const outputs = stepOutputs(runId, state);
    const steps = evaluationSteps(outputs);
    const chosen = step === "" ? steps.at(-1) : steps.find((name) => name === step);
    if (chosen === undefined) throw notEvaluated(runId, step, steps);
    const [summary, curated] = [outputs.get(chosen) as EvaluationSummary, outputs.get("curate") as CuratedData];
    return { step: chosen, steps, summary, curated };
  }

  async function evaluate({ summary, curated }: StoredEvaluation, iouType: IouType): Promise<Evaluated> {
    const { detections } = summary;
    const { validation } = curated;
    return evaluations.get(`${iouType} ${validation.sha256} ${detections.sha256}`, async () =>
      evaluateInThread({
        groundTruth: await artifacts.path(validation.sha256),
        detections: await artifacts.path(detections.sha256),
        iouType,
      }),
    );
  }

  return {
    async describe(runId, { step, iouType }) {
      const stored = find(runId, step);
      const { facts } = await evaluate(stored, iouType);
      const iouTypes: IouType[] = stored.summary.segm_ap === undefined ? ["bbox"] : ["bbox", "segm"];
      return { step: stored.step, steps: stored.steps, iouType, iouTypes, ...facts };
    },
    async images(runId, { step, iouType }, cell) {
      const evaluated = await evaluate(find(runId, step), iouType);
      return cell === undefined ? worstImagesOf(evaluated) : imagesOfCell(evaluated, cell);
    },
  };
}

/** Large validation sets take seconds and much memory, which end with the thread. */
function evaluateInThread(request: EvaluationRequest): Promise<Evaluated> {
  return askThread<Evaluated>(new URL("./evaluation-thread.js", import.meta.url), request);
}

function sizeOf({ pairs, images, facts }: Evaluated): number {
  const { truthMask, detectedMask, ...columns } = pairs;
  const numbers = Object.values<ArrayBufferView>(columns).reduce((sum, { byteLength }) => sum + byteLength, 0);
  const masks = [...truthMask, ...detectedMask].reduce((sum, counts = "") => sum + counts.length, 0);
  return numbers + masks + BYTES_OF_IMAGE * images.length + BYTES_OF_CLASS * facts.classes.length;
}

function notEvaluated(runId: string, step: string, steps: readonly string[]): CasslError {
  const what = step === "" ? "evaluated no detector yet" : `no evaluation ${JSON.stringify(step.slice(0, 200))}`;
  const remedy =
    steps.length === 0 ? "Look again when an arm has come to its end." : `Name one of ${steps.join(", ")}.`;
  return new CasslError("FILE_NOT_FOUND", `The run \`${runId}\` has ${what}.`, remedy);
}
