/** MoviesStoreViewFavorites: GET /favorites, a page of the favourite films. */

import { answer, environmentOf, lambda, pageOf } from "@watchlist/store";

export async function viewFavorites(event, documents) {
  const table = `${process.env.FAVORITES_TABLE}-${environmentOf(event)}`;
  const { items, next } = await pageOf(documents, table, event);
  return answer(200, { favorites: items, next });
}

export const handler = lambda(viewFavorites);
