/** MoviesStoreListMovies: GET /movies, a page of all films. */

import { answer, lambda, pageOf } from "@watchlist/store";

export async function listMovies(event, documents) {
  const { items, next } = await pageOf(documents, process.env.MOVIES_TABLE, event);
  return answer(200, { movies: items, next });
}

export const handler = lambda(listMovies);
