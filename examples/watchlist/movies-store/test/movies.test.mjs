/** GET /movies and GET /movies/{id}. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { lambda } from "@watchlist/store";
import { listMovies } from "../src/movies/findAll/index.mjs";
import { searchMovie } from "../src/movies/findOne/index.mjs";
import { Documents, M, METROPOLIS } from "./documents.mjs";

let documents;

beforeEach(() => {
  process.env.MOVIES_TABLE = "movies";
  documents = new Documents({ movies: [METROPOLIS, M] });
});

const call = async (work, event) => {
  const answer = await lambda(work, async () => documents)(event);
  return { status: answer.statusCode, body: JSON.parse(answer.body) };
};

test("all films are listed", async () => {
  const { status, body } = await call(listMovies, {});
  assert.equal(status, 200);
  assert.deepEqual(body, { movies: [METROPOLIS, M], next: null });
});

test("films are listed page by page", async () => {
  const first = await call(listMovies, { queryStringParameters: { limit: "1" } });
  assert.deepEqual(first.body, { movies: [METROPOLIS], next: METROPOLIS.id });
  const event = { queryStringParameters: { limit: "1", after: first.body.next } };
  const second = await call(listMovies, event);
  assert.deepEqual(second.body, { movies: [M], next: null });
});

test("a limit that is none is refused", async () => {
  for (const limit of ["0", "101", "-1", "1.5", "all", ""]) {
    const { status } = await call(listMovies, { queryStringParameters: { limit } });
    assert.equal(status, 400, limit);
  }
  assert.deepEqual(documents.calls, []);
});

test("an event without anything, as a smoke test sends it, is answered", async () => {
  assert.equal((await call(listMovies, undefined)).status, 200);
});

test("a film is found by its id", async () => {
  const { status, body } = await call(searchMovie, { pathParameters: { id: METROPOLIS.id } });
  assert.equal(status, 200);
  assert.deepEqual(body, METROPOLIS);
});

test("a film that is not there is not found", async () => {
  const { status, body } = await call(searchMovie, { pathParameters: { id: "tt1" } });
  assert.equal(status, 404);
  assert.match(body.message, /tt1/);
});

test("a search without an id is refused", async () => {
  assert.equal((await call(searchMovie, { pathParameters: null })).status, 400);
});
