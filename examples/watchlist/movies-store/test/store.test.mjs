/** The frame that all functions share. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Refusal, answer, environmentOf, lambda } from "@watchlist/store";

const none = async () => null;

test("an answer is JSON that any site may read", async () => {
  const { statusCode, headers, body } = await lambda(async () => answer(200, { a: 1 }), none)({});
  assert.equal(statusCode, 200);
  assert.equal(headers["access-control-allow-origin"], "*");
  assert.match(headers["content-type"], /^application\/json/);
  assert.equal(body, '{"a":1}');
});

test("a refusal is told with its status", async () => {
  const refuse = async () => {
    throw new Refusal(409, "not now");
  };
  const { statusCode, body } = await lambda(refuse, none)({});
  assert.equal(statusCode, 409);
  assert.deepEqual(JSON.parse(body), { message: "not now" });
});

test("a fault is written down and tells the caller no details", async (context) => {
  const log = context.mock.method(console, "error", () => {});
  const fail = async () => {
    throw new Error("table secret-name is gone");
  };
  const { statusCode, body } = await lambda(fail, none)({});
  assert.equal(statusCode, 500);
  assert.doesNotMatch(body, /secret-name/);
  assert.match(log.mock.calls[0].arguments[0].message, /secret-name/);
});

test("the environment is the stage's, and the sandbox without one", () => {
  assert.equal(environmentOf({ stageVariables: { environment: "staging" } }), "staging");
  assert.equal(environmentOf({ stageVariables: null }), "sandbox");
  assert.equal(environmentOf({}), "sandbox");
  assert.throws(() => environmentOf({ stageVariables: { environment: "../x" } }), /no environment/);
});

test("without a client of its own a function asks for the runtime's", async (context) => {
  const log = context.mock.method(console, "error", () => {});
  const { statusCode } = await lambda(async () => answer(200, {}))({});
  assert.equal(statusCode, 500);
  assert.match(log.mock.calls[0].arguments[0].message, /@aws-sdk\/client-dynamodb/);
});
