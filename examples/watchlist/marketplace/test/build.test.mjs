/** What the build makes. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { fill, hashed, relink, settings, site } from "../tools/build.mjs";

const ENVIRONMENTS = ["sandbox", "staging", "production"];

test("each environment has its page and shares the assets", () => {
  const [one, two] = ["sandbox", "production"].map((name) => site(settings(name)));
  assert.match(one.get("index.html"), /data-environment="sandbox"/);
  assert.match(two.get("index.html"), /data-environment="production"/);
  assert.deepEqual([...one.keys()], [...two.keys()]);
});

test("an environment that nobody knows is refused by name", () => {
  for (const name of ["", "moon", "../package", "constructor"]) {
    assert.throws(() => settings(name), /ENVIRONMENT must be one of .*sandbox/);
  }
});

test("every asset that the page or a module names is there", () => {
  for (const environment of ENVIRONMENTS) {
    const files = site(settings(environment));
    const page = files.get("index.html");
    assert.doesNotMatch(page, /\{\{/);
    const named = [...page.matchAll(/(?:href|src|data-films)="([^"]+)"/g)].map((found) => found[1]);
    for (const [name, text] of files) {
      if (!name.endsWith(".js")) continue;
      named.push(...[...text.matchAll(/from "\.\/([^"]+)"/g)].map((found) => `assets/${found[1]}`));
    }
    assert.equal(named.length, 6);
    for (const name of named) assert.ok(files.has(name), name);
  }
});

test("assets bear the hash of what they hold", () => {
  for (const [name, text] of site(settings("sandbox"))) {
    if (!name.startsWith("assets/")) continue;
    const original = name.slice("assets/".length).replace(/\.[0-9a-f]{10}(?=\.)/, "");
    assert.equal(name, `assets/${hashed(original, text)}`);
  }
});

test("a change of a module changes the name of who imports it", () => {
  const importer = 'import { a } from "./a.js";';
  const before = relink(importer, new Map([["a.js", "a.1.js"]]));
  const after = relink(importer, new Map([["a.js", "a.2.js"]]));
  assert.equal(before, 'import { a } from "./a.1.js";');
  assert.notEqual(hashed("app.js", before), hashed("app.js", after));
});

test("an import or a placeholder that leads nowhere fails the build", () => {
  assert.throws(() => relink('import "x"; export { a } from "./b.js";', new Map()), /b\.js/);
  assert.throws(() => fill("{{nothing}}", {}), /nothing/);
});

test("what is filled in can't break out of its attribute", () => {
  assert.equal(fill('<a b="{{c}}">', { c: '"><script>' }), '<a b="&#34;&#62;&#60;script&#62;">');
});

test("the command writes the site, and only the site", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "site-")), "dist");
  const files = site(settings("staging"));
  assert.equal(build(folder, "staging"), `${files.size} files for staging in ${folder}\n`);
  for (const [name, text] of files) assert.equal(readFileSync(join(folder, name), "utf8"), text);
  assert.ok(!existsSync(join(folder, "assets", "app.js")));
});

test("without an environment, as for a pull request, the site is the sandbox's", () => {
  const folder = mkdtempSync(join(tmpdir(), "site-"));
  assert.match(build(folder, ""), /for sandbox/);
});

function build(folder, environment) {
  const env = { ...process.env, ENVIRONMENT: environment };
  const command = ["tools/build.mjs", folder];
  return execFileSync(process.execPath, command, { env, encoding: "utf8" });
}
