/** MoviesStoreSearchMovie: GET /movies/{id}, one film. */

import { Refusal, answer, lambda } from "@watchlist/store";

export async function searchMovie(event, documents) {
  const id = event.pathParameters?.id;
  if (!id) {
    throw new Refusal(400, "the id of a film is missing");
  }
  const found = await documents.get({ TableName: process.env.MOVIES_TABLE, Key: { id } });
  if (!found.Item) {
    throw new Refusal(404, `there is no film ${id}`);
  }
  return answer(200, found.Item);
}

export const handler = lambda(searchMovie);
