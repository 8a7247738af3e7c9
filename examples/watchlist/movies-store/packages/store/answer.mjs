/** Answers as API Gateway wants them, and the frame around every function. */

import { tables } from "./tables.mjs";

const HEADERS = {
  "access-control-allow-origin": "*",
  "cache-control": "no-store",
  "content-type": "application/json; charset=utf-8",
};

/** What the caller did wrong, with the status that says so. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** An answer with a JSON body. */
export function answer(statusCode, body) {
  return { statusCode, headers: HEADERS, body: JSON.stringify(body) };
}

/**
 * A Lambda function out of a piece of work, `(event, documents) => answer`.
 *
 * `documents` gives DynamoDB's client; tests pass one of their own.
 */
export function lambda(work, documents = tables) {
  return async (event) => {
    try {
      return await work(event ?? {}, await documents());
    } catch (error) {
      if (error instanceof Refusal) {
        return answer(error.status, { message: error.message });
      }
      // For CloudWatch; the caller learns no details.
      console.error(error);
      return answer(500, { message: "Something went wrong; it has been written down." });
    }
  };
}
