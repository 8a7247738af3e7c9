/**
 * A reporter for `node --test --experimental-test-coverage`: prints the share of lines that the
 * tests reach, fails below 80 %, and writes an HTML report to coverage/index.html.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";

const LEAST = 80;
const FOLDER = "coverage";
const OURS = /^(packages|src)\//;
const STYLE = `body{font:16px/1.5 system-ui;margin:2rem}pre{font:14px/1.5 ui-monospace,monospace}
i{font-style:normal;display:inline-block;width:100%}.hit{background:#e6ffec}
.miss{background:#ffebe9}`;

export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type === "test:fail") {
      yield `failed: ${data.name}: ${data.details.error.cause?.message ?? data.details.error}\n`;
    } else if (type === "test:coverage") {
      yield judge(data.summary);
    }
  }
}

/** Write the report; what to print of it. */
function judge({ files, workingDirectory }) {
  const ours = files
    .map((file) => ({ ...file, name: relative(workingDirectory, file.path) }))
    .filter(({ name }) => OURS.test(name));
  const sum = (key) => ours.reduce((total, file) => total + file[key], 0);
  const share = (100 * sum("coveredLineCount")) / (sum("totalLineCount") || 1);
  const title = `${share.toFixed(0)} % of ${sum("totalLineCount")} lines`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/index.html`, page(title, ours));
  if (share < LEAST) {
    process.exitCode = 1;
    return `${title}\nfailed: the tests must reach ${LEAST} %\n`;
  }
  return `${title}\n`;
}

function page(title, files) {
  const parts = files.map((file) => `<h2>${escape(file.name)}</h2>\n<pre>${source(file)}</pre>`);
  return `<!doctype html><html lang=en><meta charset=utf-8><title>${title}</title>
<style>${STYLE}</style><h1>${title}</h1>
${parts.join("\n")}</html>
`;
}

/** A file's lines, coloured. */
function source({ path, lines, uncoveredLineNumbers }) {
  // Node.js 18 names the lines that were missed, later ones count every line.
  const missed = uncoveredLineNumbers ?? lines.filter((l) => !l.count).map((l) => l.line);
  const numbers = new Set(missed);
  const row = (line, index) => {
    const kind = numbers.has(index + 1) ? "miss" : "hit";
    return `<i class="${kind}">${String(index + 1).padStart(4)} ${escape(line)}</i>`;
  };
  return readFileSync(path, "utf8").trimEnd().split("\n").map(row).join("\n");
}

function escape(text) {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}
