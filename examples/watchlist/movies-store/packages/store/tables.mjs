/** The way to the tables. */

import { Refusal } from "./answer.mjs";

const MOST = 100;
const ENVIRONMENT = /^[A-Za-z0-9_-]{1,128}$/;

let client;

/** DynamoDB's client, kept while Lambda keeps this process. */
export async function tables() {
  if (!client) {
    // Imported here, because only Lambda's runtime has them: the tests pass a client of their own.
    const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
    const { DynamoDBDocument } = await import("@aws-sdk/lib-dynamodb");
    client = DynamoDBDocument.from(new DynamoDB({}));
  }
  return client;
}

/**
 * The environment for which the function was called, as the stage of the API says.
 *
 * One version may serve several environments, and a version's variables never change: so the
 * environment comes with each call. A call without one, such as a smoke test, is the sandbox's.
 */
export function environmentOf(event) {
  const environment = event.stageVariables?.environment ?? "sandbox";
  if (!ENVIRONMENT.test(environment)) {
    throw new Error("the stage variable `environment` is no environment");
  }
  return environment;
}

/** One page of a table: `?limit=` says how many, `?after=` which `next` of the page before. */
export async function pageOf(documents, table, event) {
  const { limit = "50", after } = event.queryStringParameters ?? {};
  const number = /^[0-9]{1,4}$/.test(limit) ? Number(limit) : 0;
  if (number < 1 || number > MOST) {
    throw new Refusal(400, `limit must be a number from 1 to ${MOST}`);
  }
  const found = await documents.scan({
    TableName: table,
    Limit: number,
    ...(after && { ExclusiveStartKey: { id: after } }),
  });
  return { items: found.Items ?? [], next: found.LastEvaluatedKey?.id ?? null };
}
