/** The licences of what cassl is installed with. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./tools.mjs";

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third.?party)((?!\.(js|ts|json)$).)*$/i;
const RULE = "-".repeat(80);

/** Every npm package that `npm install cassl` brings along, with where its sources are and its licence; equal texts once. */
export function npmNotices() {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const used = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  const byText = new Map();
  for (const [path, { version, license }] of used) {
    const name = `${path.split("node_modules/").at(-1)} ${version}: ${license}${sourcesOf(path)}`;
    const text = licenceText(join(root, path));
    byText.set(text, [...(byText.get(text) ?? []), name]);
  }
  const sections = [...byText].map(([text, names]) => [RULE, ...names, "", text].join("\n"));
  return `${["cassl is installed with these npm packages.", ...sections].join("\n\n")}\n`;
}

function sourcesOf(path) {
  const file = join(root, path, "package.json");
  if (!existsSync(file)) return "";
  const { repository } = JSON.parse(readFileSync(file, "utf8"));
  const url = typeof repository === "string" ? repository : repository?.url;
  return url === undefined ? "" : `, ${url.replace(/^git\+/, "")}`;
}

/** Says so where a package has no file of its licence, or is not installed. */
function licenceText(folder) {
  if (!existsSync(folder)) return "Optional, and not for the platform on which this list was made.";
  const files = readdirSync(folder).filter((name) => LICENCE_FILE.test(name));
  if (files.length === 0) return "Its package holds no text of its licence.";
  const texts = files.map((name) => readFileSync(join(folder, name), "utf8").replaceAll("\r", "").trim());
  return texts.join(`\n\n${RULE}\n\n`);
}
