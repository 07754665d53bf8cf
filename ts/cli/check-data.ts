/** `cassl check` for a data set. */
import { resolve } from "node:path";
import { toStorageError } from "../controller/storage.js";
import { checkData, type DataCheck } from "../data/check/check-data.js";
import type { Finding } from "../data/check/findings.js";
import type { AnnotationSource } from "../data/formats/source-set.js";
import { writeDataPage } from "../report/data-page.js";
import { classCountTable, countFindings, describeCounts, verdict } from "../report/data-tables.js";
import { EXIT_FAILED, EXIT_USAGE } from "./exit-code.js";
import { interruptSignal } from "./interrupt.js";
import { textTable } from "./table.js";

export interface DataCheckOptions {
  readonly html?: string;
  readonly strict?: true;
  readonly json?: true;
}

const MOST_SHOWN = 3;

/** The exit code is 2 if there are errors, 1 if there are warnings and they are to fail, else 0. */
export async function checkDataSet(source: AnnotationSource, { html, strict, json }: DataCheckOptions): Promise<void> {
  const check = await checkData(source, interruptSignal());
  if (html !== undefined) {
    await writeDataPage(check, resolve(html)).catch((error: unknown) => {
      throw toStorageError(error, `${resolve(html)} cannot be written`);
    });
  }
  console.log(json ? JSON.stringify(checkJson(check)) : checkText(check));
  if (countFindings(check, "error") > 0) process.exitCode = EXIT_USAGE;
  else if (strict && countFindings(check, "warning") > 0) process.exitCode = EXIT_FAILED;
}

function checkJson(check: DataCheck): object {
  const { source, format, image_folder, statistics, findings } = check;
  return {
    source,
    format,
    image_folder: image_folder ?? null,
    errors: countFindings(check, "error"),
    warnings: countFindings(check, "warning"),
    ...statistics,
    findings: findings.map((finding) => ({ ...finding, examples: finding.examples.map(({ text }) => text) })),
  };
}

function checkText(check: DataCheck): string {
  const { source, format, image_folder, findings } = check;
  return [
    `${source} (${format})`,
    `${describeCounts(check)}; ${image_folder === undefined ? "images not looked at" : `images in ${image_folder}`}`,
    "",
    textTable(classCountTable(check)),
    "",
    ...findings.flatMap(findingLines),
    `${verdict(check)}.`,
  ].join("\n");
}

function findingLines({ severity, count, what, examples }: Finding): string[] {
  const shown = examples.slice(0, MOST_SHOWN).map(({ text }) => `  ${text}`);
  const more = count > shown.length ? [`  and ${count - shown.length} more`] : [];
  return [`${severity}: ${count} ${what}`, ...shown, ...more];
}
