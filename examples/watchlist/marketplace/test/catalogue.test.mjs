/** What is shown of the films. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { count, hue, select } from "../src/catalogue.js";

const FILMS = [
  { id: "a", title: "M", year: 1931 },
  { id: "b", title: "Amélie", year: 2001 },
  { id: "c", title: "City Lights", year: 1931 },
];
const ids = (films) => films.map((film) => film.id).join("");

test("all films are shown by title", () => {
  assert.equal(ids(select(FILMS)), "bca");
  assert.equal(ids(FILMS), "abc");
});

test("every word must occur, whatever its case and accents", () => {
  assert.equal(ids(select(FILMS, { words: "  LIGHTS city " })), "c");
  assert.equal(ids(select(FILMS, { words: "amelie" })), "b");
  assert.equal(ids(select(FILMS, { words: "1931" })), "ca");
  assert.equal(ids(select(FILMS, { words: "city 2001" })), "");
});

test("favourites alone can be shown", () => {
  assert.equal(ids(select(FILMS, { only: true, favourites: new Set(["a"]) })), "a");
  assert.equal(ids(select(FILMS, { only: true })), "");
});

test("the count is in words", () => {
  assert.equal(count(20, 20), "20 films");
  assert.equal(count(1, 20), "1 film of 20");
  assert.equal(count(0, 20), "No film fits.");
});

test("films of one decade have one colour", () => {
  assert.equal(hue({ year: 1931 }), hue({ year: 1939 }));
  assert.notEqual(hue({ year: 1931 }), hue({ year: 1941 }));
});

test("the films that come with the site are whole", () => {
  const films = JSON.parse(readFileSync(new URL("../src/films.json", import.meta.url), "utf8"));
  assert.equal(new Set(films.map((film) => film.id)).size, films.length);
  for (const film of films) assert.ok(film.id && film.title && film.year > 1880, film.id);
});
