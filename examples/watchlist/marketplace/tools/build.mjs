/**
 * Builds the site: `ENVIRONMENT=staging node tools/build.mjs [FOLDER]`. A pull request belongs to
 * no environment; its site is the sandbox's.
 *
 * Every asset gets a name with the hash of what it holds, so that browsers may keep it for ever;
 * the page, whose name stays, leads to them. Addresses are relative: the site may lie anywhere.
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
// In this order: what names another asset comes after it.
const ASSETS = ["icon.svg", "style.css", "films.json", "catalogue.js", "store.js", "app.js"];
const AS_THEY_ARE = ["robots.txt"];

/** The settings of an environment; its name is checked, since it becomes a file's name. */
export function settings(environment, root = ROOT) {
  const known = readdirSync(join(root, "environments")).map((name) => parse(name).name);
  if (!known.includes(environment)) {
    throw new Error(`ENVIRONMENT must be one of ${known.join(", ")}, not "${environment}"`);
  }
  const path = join(root, "environments", `${environment}.json`);
  const found = JSON.parse(readFileSync(path, "utf8"));
  return { environment, origin: found.api && new URL(found.api).origin, ...found };
}

/** All files of the site, by name. */
export function site(values, root = ROOT) {
  const read = (name) => readFileSync(join(root, "src", name), "utf8");
  const files = new Map(AS_THEY_ARE.map((name) => [name, read(name)]));
  const names = new Map();
  for (const name of ASSETS) {
    const text = name.endsWith(".json") ? JSON.stringify(JSON.parse(read(name))) : read(name);
    const linked = name.endsWith(".js") ? relink(text, names) : text;
    names.set(name, hashed(name, linked));
    files.set(`assets/${names.get(name)}`, linked);
  }
  const addresses = [...names].map(([name, found]) => [name, `assets/${found}`]);
  const page = fill(read("index.html"), { ...values, ...Object.fromEntries(addresses) });
  return files.set("index.html", page);
}

/** A name with the hash of what the file holds: `app.1a2b3c4d.js`. */
export function hashed(name, text) {
  const { name: stem, ext } = parse(name);
  return `${stem}.${createHash("sha256").update(text).digest("hex").slice(0, 10)}${ext}`;
}

/** A module whose imports name the hashed files. */
export function relink(text, names) {
  return text.replace(/(from ")\.\/([^"]+)(")/g, (_all, before, name, after) => {
    if (!names.has(name)) throw new Error(`${name} is imported before it is built`);
    return `${before}./${names.get(name)}${after}`;
  });
}

/** The page with its `{{placeholders}}` filled in. */
export function fill(text, values) {
  return text.replace(/\{\{([^}]+)\}\}/g, (_all, name) => {
    if (!(name in values)) throw new Error(`{{${name}}} is not known`);
    return String(values[name]).replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
  });
}

function write(files, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "assets"), { recursive: true });
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = process.argv[2] ?? "dist";
  const environment = process.env.ENVIRONMENT || "sandbox";
  const files = site(settings(environment));
  write(files, folder);
  console.log(`${files.size} files for ${environment} in ${folder}`);
}
