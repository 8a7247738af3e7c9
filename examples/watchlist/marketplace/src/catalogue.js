/** What is shown of the films: pure functions. */

/** Text without case and accents, for comparing. */
function plain(text) {
  return text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();
}

/** The films in which every word occurs, in the title or as the year, sorted by title. */
export function select(films, { words = "", only = false, favourites = new Set() } = {}) {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  return films
    .filter((film) => !only || favourites.has(film.id))
    .filter((film) => {
      const text = plain(`${film.title} ${film.year}`);
      return wanted.every((word) => text.includes(word));
    })
    .sort((one, other) => one.title.localeCompare(other.title, "en"));
}

/** How many films there are, in words. */
export function count(shown, all) {
  if (shown === 0) return "No film fits.";
  const films = shown === 1 ? "1 film" : `${shown} films`;
  return shown === all ? films : `${films} of ${all}`;
}

/** The colour of a film's card, 0 to 359: one for each decade. */
export function hue(film) {
  return Math.floor(film.year / 10) * 47 % 360;
}
