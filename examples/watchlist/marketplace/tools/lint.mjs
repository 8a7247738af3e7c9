/** A small lint with Node.js only: `node tools/lint.mjs [FOLDER]`. */

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const LONGEST = 100;
const LEFT_OUT = new Set([".git", "coverage", "dist", "node_modules"]);

/** The paths of all modules below a folder. */
function* modules(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) {
      yield* modules(path);
    } else if (/\.m?js$/.test(entry.name)) {
      yield path;
    }
  }
}

/** What is wrong with one module, as `line: what`. */
function* complaints(path) {
  const checked = spawnSync(process.execPath, ["--check", path], { encoding: "utf8" });
  if (checked.status !== 0) {
    yield `1: ${checked.stderr.match(/^\w*Error: .*/m)?.[0] ?? "can't be read"}`;
    return;
  }
  const text = readFileSync(path, "utf8");
  for (const [index, line] of text.split("\n").entries()) {
    if (line.length > LONGEST) yield `${index + 1}: longer than ${LONGEST} characters`;
    if (/\s$/.test(line)) yield `${index + 1}: blanks at the end`;
    if (/\bvar\s/.test(line)) yield `${index + 1}: var; use const or let`;
  }
  for (const name of unusedImports(text)) yield `1: ${name} is imported and not used`;
}

/** Names that are imported and never read. */
function* unusedImports(text) {
  const imports = /^import\s+(?:(\w+)|\{([^}]*)\})/gm;
  const rest = text.replace(/^import[\s\S]*?;$/gm, "");
  for (const [, one, many] of text.matchAll(imports)) {
    const names = (one ?? many).split(",").map((part) => part.trim().split(/\s+as\s+/).at(-1));
    for (const name of names) {
      if (name && !new RegExp(`\\b${name}\\b`).test(rest)) yield name;
    }
  }
}

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
let found = 0;
for (const path of [...modules(root)].sort()) {
  for (const complaint of complaints(path)) {
    console.log(`${relative(root, path)}:${complaint}`);
    found += 1;
  }
}
process.exitCode = found ? 1 : 0;
