/** GET /favorites and POST /favorites. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { lambda } from "@watchlist/store";
import { viewFavorites } from "../src/favorites/findAll/index.mjs";
import { addToFavorites } from "../src/favorites/insert/index.mjs";
import { Documents, M, METROPOLIS } from "./documents.mjs";

const SHORT = { id: METROPOLIS.id, title: "Metropolis", year: 1927 };
let documents;

beforeEach(() => {
  process.env.MOVIES_TABLE = "movies";
  process.env.FAVORITES_TABLE = "favorites";
  documents = new Documents({
    movies: [METROPOLIS, M],
    "favorites-sandbox": [],
    "favorites-production": [],
  });
});

const call = async (work, event) => {
  const answer = await lambda(work, async () => documents)(event);
  return { status: answer.statusCode, body: JSON.parse(answer.body) };
};

test("a film becomes a favourite", async () => {
  const { status, body } = await call(addToFavorites, { body: `{"id":"${METROPOLIS.id}"}` });
  assert.equal(status, 201);
  assert.deepEqual(body, SHORT);
  assert.deepEqual((await call(viewFavorites, {})).body, { favorites: [SHORT], next: null });
});

test("each environment has favourites of its own", async () => {
  const stageVariables = { environment: "production" };
  await call(addToFavorites, { body: JSON.stringify({ id: M.id }), stageVariables });
  assert.equal(documents.tables["favorites-production"].length, 1);
  assert.equal(documents.tables["favorites-sandbox"].length, 0);
  const { body } = await call(viewFavorites, { stageVariables });
  assert.deepEqual(body.favorites, [M]);
});

test("a body in Base64 is read as well", async () => {
  const body = Buffer.from(JSON.stringify({ id: M.id })).toString("base64");
  assert.equal((await call(addToFavorites, { body, isBase64Encoded: true })).status, 201);
});

test("a film that is not there does not become a favourite", async () => {
  const { status } = await call(addToFavorites, { body: '{"id":"tt1"}' });
  assert.equal(status, 404);
  assert.deepEqual(documents.calls, []);
});

test("a body that names no film is refused", async () => {
  for (const body of [undefined, null, "", "{", "[]", "null", '{"id":1}', '{"id":""}']) {
    const { status } = await call(addToFavorites, { body });
    assert.equal(status, 400, String(body));
  }
});
