/** A DynamoDB that lives in memory, with the part of its document client that the store uses. */

export class Documents {
  constructor(tables = {}) {
    this.tables = tables;
    this.calls = [];
  }

  async scan(call) {
    this.calls.push(call);
    const items = this.#table(call);
    const after = items.findIndex((item) => item.id === call.ExclusiveStartKey?.id);
    const page = items.slice(after + 1, after + 1 + call.Limit);
    const more = after + 1 + call.Limit < items.length;
    return { Items: page, ...(more && { LastEvaluatedKey: { id: page.at(-1).id } }) };
  }

  async get(call) {
    const found = this.#table(call).find((item) => item.id === call.Key.id);
    return found ? { Item: found } : {};
  }

  async put(call) {
    this.calls.push(call);
    this.#table(call).push(call.Item);
    return {};
  }

  #table({ TableName }) {
    if (!(TableName in this.tables)) {
      throw new Error(`ResourceNotFoundException: ${TableName}`);
    }
    return this.tables[TableName];
  }
}

export const METROPOLIS = { id: "tt0017136", title: "Metropolis", year: 1927, director: "Lang" };
export const M = { id: "tt0022100", title: "M", year: 1931 };
