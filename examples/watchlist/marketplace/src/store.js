/** Where films and favourites come from: the API, or the site itself where it has none. */

const KEPT = "watchlist.favourites";

/** The store that the page's settings ask for; `fetch` and `storage` are the browser's. */
export function open({ api, films, environment }, fetch, storage) {
  return api ? new Remote(api, fetch) : new Local(films, `${KEPT}.${environment}`, fetch, storage);
}

async function json(fetch, address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer.json();
}

/** Films from movies-store, behind the API of this environment. */
class Remote {
  /** An API's favourites are added to and not taken from. */
  removes = false;

  constructor(api, fetch) {
    this.api = api.replace(/\/$/, "");
    this.fetch = fetch;
  }

  films() {
    return this.#all("movies");
  }

  async favourites() {
    return new Set((await this.#all("favorites")).map((film) => film.id));
  }

  async set(id) {
    const headers = { "content-type": "application/json" };
    const options = { method: "POST", headers, body: JSON.stringify({ id }) };
    await json(this.fetch, `${this.api}/favorites`, options);
  }

  /** All pages of a list. */
  async #all(what) {
    const items = [];
    let after = "";
    do {
      const address = `${this.api}/${what}?limit=100${after && `&after=${after}`}`;
      const page = await json(this.fetch, address);
      items.push(...page[what]);
      after = page.next && encodeURIComponent(page.next);
    } while (after);
    return items;
  }
}

/** Films that came with the site, favourites that stay in this browser. */
class Local {
  removes = true;

  constructor(address, key, fetch, storage) {
    this.address = address;
    this.key = key;
    this.fetch = fetch;
    this.storage = storage;
  }

  films() {
    return json(this.fetch, this.address);
  }

  async favourites() {
    try {
      return new Set(JSON.parse(this.storage.getItem(this.key) ?? "[]"));
    } catch {
      return new Set(); // somebody else wrote there
    }
  }

  async set(id, wanted) {
    const favourites = await this.favourites();
    favourites[wanted ? "add" : "delete"](id);
    this.storage.setItem(this.key, JSON.stringify([...favourites]));
  }
}
