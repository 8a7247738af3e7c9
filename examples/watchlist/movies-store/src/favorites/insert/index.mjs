/** MoviesStoreAddToFavorites: POST /favorites with `{"id": …}`, marks a film. */

import { Refusal, answer, environmentOf, lambda } from "@watchlist/store";

export async function addToFavorites(event, documents) {
  const id = wanted(event);
  const found = await documents.get({ TableName: process.env.MOVIES_TABLE, Key: { id } });
  if (!found.Item) {
    throw new Refusal(404, `there is no film ${id}`);
  }
  const { title, year } = found.Item;
  const table = `${process.env.FAVORITES_TABLE}-${environmentOf(event)}`;
  await documents.put({ TableName: table, Item: { id, title, year } });
  return answer(201, { id, title, year });
}

function wanted(event) {
  const text = event.isBase64Encoded
    ? Buffer.from(event.body ?? "", "base64").toString()
    : event.body;
  let id;
  try {
    id = JSON.parse(text ?? "")?.id;
  } catch {
    throw new Refusal(400, "the body is not JSON");
  }
  if (typeof id !== "string" || id === "") {
    throw new Refusal(400, 'the body must be {"id": "the id of a film"}');
  }
  return id;
}

export const handler = lambda(addToFavorites);
