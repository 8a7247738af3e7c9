/** Where films and favourites come from. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "../src/store.js";

/** A `fetch` that answers by address and remembers. */
function web(answers) {
  const asked = [];
  const fetch = async (address, options) => {
    asked.push({ address, ...options });
    const body = answers[address];
    return { ok: body !== undefined, status: body ? 200 : 500, json: async () => body };
  };
  return { fetch, asked };
}

/** A browser's storage. */
function storage(kept = {}) {
  return {
    kept,
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => { kept[key] = value; },
  };
}

const LOCAL = { api: "", films: "assets/films.json", environment: "sandbox" };
const API = { api: "https://api.example.com/sandbox/", films: "", environment: "sandbox" };

test("without an API films come from the site", async () => {
  const { fetch } = web({ "assets/films.json": [{ id: "a" }] });
  assert.deepEqual(await open(LOCAL, fetch, storage()).films(), [{ id: "a" }]);
});

test("without an API favourites stay in the browser, each environment's for itself", async () => {
  const drawer = storage();
  const sandbox = open(LOCAL, null, drawer);
  await sandbox.set("a", true);
  await sandbox.set("b", true);
  await sandbox.set("a", false);
  assert.deepEqual(await sandbox.favourites(), new Set(["b"]));
  const staging = open({ ...LOCAL, environment: "staging" }, null, drawer);
  assert.deepEqual(await staging.favourites(), new Set());
});

test("favourites that can't be read are none", async () => {
  const drawer = storage({ "watchlist.favourites.sandbox": "{" });
  assert.deepEqual(await open(LOCAL, null, drawer).favourites(), new Set());
});

test("an API is asked page by page", async () => {
  const first = "https://api.example.com/sandbox/movies?limit=100";
  const { fetch, asked } = web({
    [first]: { movies: [{ id: "a" }], next: "a&b" },
    [`${first}&after=a%26b`]: { movies: [{ id: "c" }], next: null },
  });
  assert.deepEqual(await open(API, fetch).films(), [{ id: "a" }, { id: "c" }]);
  assert.equal(asked.length, 2);
});

test("an API keeps the favourites", async () => {
  const { fetch, asked } = web({
    "https://api.example.com/sandbox/favorites": { id: "a" },
    "https://api.example.com/sandbox/favorites?limit=100": { favorites: [{ id: "a" }], next: null },
  });
  const store = open(API, fetch);
  await store.set("a", true);
  assert.equal(asked[0].method, "POST");
  assert.equal(asked[0].body, '{"id":"a"}');
  assert.deepEqual(await store.favourites(), new Set(["a"]));
});

test("an answer that is none is an error with its address", async () => {
  const { fetch } = web({});
  await assert.rejects(open(API, fetch).films(), /api\.example\.com.* answered 500/);
});
