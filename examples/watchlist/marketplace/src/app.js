/** The page: draws the films, and hears what people do with them. */

import { count, hue, select } from "./catalogue.js";
import { open } from "./store.js";

const find = (id) => document.getElementById(id);
const store = open(document.body.dataset, fetch.bind(globalThis), localStorage);
let films = [];
let favourites = new Set();

function draw() {
  const choice = { words: find("words").value, only: find("only").checked, favourites };
  const shown = select(films, choice);
  find("films").replaceChildren(...shown.map(card));
  find("count").textContent = count(shown.length, films.length);
}

function card(film) {
  const item = document.createElement("li");
  item.style.setProperty("--hue", hue(film));
  const title = document.createElement("h2");
  title.textContent = film.title;
  const year = document.createElement("p");
  year.textContent = film.year;
  item.append(title, year, heart(film));
  return item;
}

function heart(film) {
  const button = document.createElement("button");
  const marked = favourites.has(film.id);
  button.type = "button";
  button.dataset.film = film.id;
  button.textContent = marked ? "♥" : "♡";
  button.disabled = marked && !store.removes;
  button.setAttribute("aria-pressed", marked);
  button.setAttribute("aria-label", `Favourite: ${film.title}`);
  button.addEventListener("click", () => mark(film, !marked));
  return button;
}

async function mark(film, wanted) {
  try {
    await store.set(film.id, wanted);
  } catch (error) {
    return complain(error, `${film.title} could not be marked. Try again in a while.`);
  }
  favourites[wanted ? "add" : "delete"](film.id);
  draw();
  // Drawing made the button anew; whoever uses a keyboard is still there.
  document.querySelector(`[data-film="${CSS.escape(film.id)}"]`)?.focus();
}

function complain(error, text) {
  console.error(error);
  find("count").textContent = text;
}

async function start() {
  find("search").addEventListener("submit", (event) => event.preventDefault());
  find("search").addEventListener("input", draw);
  try {
    [films, favourites] = await Promise.all([store.films(), store.favourites()]);
    draw();
  } catch (error) {
    complain(error, "The films could not be fetched. Try again in a while.");
  }
}

await start();
