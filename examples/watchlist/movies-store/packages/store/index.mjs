/** What the functions of the store share. */

export { Refusal, answer, lambda } from "./answer.mjs";
export { environmentOf, pageOf, tables } from "./tables.mjs";
