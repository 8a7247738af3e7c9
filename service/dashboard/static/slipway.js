// Keeps pages fresh while something lives on them. Every page works without this.
"use strict";

(() => {
  const EVERY = 1000;
  const SLOWEST = 15000;
  const GATHER = 200;
  const LOST_AFTER = 5000;
  const AGAIN = 3000;
  const { root } = document.documentElement.dataset;
  const PARTS = [
    "state", "times", "trouble", "approval", "word", "stages", "checks", "rollout", "releases",
  ].map((name) => `run-${name}`);

  function pause(milliseconds) {
    return new Promise((wake) => setTimeout(wake, milliseconds));
  }

  async function fetched(address) {
    const answer = await fetch(address, { redirect: "manual", headers: { Accept: "text/html" } });
    if (answer.type === "opaqueredirect" || answer.status === 404) {
      location.reload();
      return null;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function busy(element) {
    const fields = [...element.querySelectorAll("textarea")];
    return (
      element.contains(document.activeElement) ||
      fields.some((field) => field.value !== field.defaultValue)
    );
  }

  // Puts a newer element in the place of the one with its id, unless the user is busy in it;
  // a form that is no longer of use goes in any case.
  function swap(newer) {
    const old = newer && document.getElementById(newer.id);
    const opened = old ? [...old.querySelectorAll("details")] : [];
    newer?.querySelectorAll("details").forEach((one, at) => {
      if (opened[at]) one.open = opened[at].open;
    });
    if (!old || old.outerHTML === newer.outerHTML) return;
    const over = old.querySelector("form") && !newer.querySelector("form");
    if (busy(old) && !over) return;
    old.replaceWith(document.adoptNode(newer));
  }

  async function forever(every, step) {
    let wait = every;
    for (;;) {
      await pause(wait);
      if (document.hidden) continue;
      try {
        if (!(await step())) return;
        wait = every;
        lost(false);
      } catch {
        wait = Math.min(wait * 2, SLOWEST);
        lost(true);
      }
    }
  }

  function lost(isLost) {
    const note = document.getElementById("run-lost");
    if (!note || note.classList.contains("hidden") !== isLost) return;
    note.className = isLost ? "lost-note" : "hidden";
    note.textContent = isLost ? note.dataset.text : "";
  }

  function append(lines) {
    const log = document.getElementById("run-log");
    for (const group of [...lines.children]) {
      const last = log.lastElementChild;
      if (last && last.dataset.source === group.dataset.source) {
        last.querySelector("ol").append(...group.querySelectorAll("li"));
      } else {
        log.append(group);
      }
    }
  }

  function atTheEnd() {
    const page = document.documentElement;
    return page.scrollTop > 0 && page.scrollHeight - page.scrollTop - page.clientHeight < 60;
  }

  async function run() {
    const { after, line, state } = document.getElementById("run-position").dataset;
    const query = new URLSearchParams({ after, line });
    const fresh = await fetched(`${location.pathname}/live?${query}`);
    if (!fresh) return false;
    const follow = atTheEnd();
    const position = fresh.getElementById("run-position");
    for (const id of PARTS) swap(fresh.getElementById(id));
    append(fresh.getElementById("run-lines"));
    swap(position);
    if (position.dataset.state !== state) told(position.dataset.state);
    if (follow) window.scrollTo({ top: document.documentElement.scrollHeight });
    const ended = position.dataset.ended === "yes";
    if (ended) document.getElementById("run-cancel")?.remove();
    tick();
    return !ended;
  }

  // A live run is followed: each event says that there is news, and the page fetches its changed
  // parts. Where nobody more may follow, or nothing can be followed, it asks again and again.
  function follow() {
    let source = null;
    let over = false;
    let fetching = false;
    let news = false;
    let silent = 0;

    function stop() {
      source?.close();
      source = null;
      clearTimeout(silent);
    }

    function fallBack() {
      stop();
      if (!over) forever(EVERY, run);
      over = true;
    }

    async function fetchNews() {
      news = true;
      if (fetching || over) return;
      fetching = true;
      try {
        while (news && !over) {
          news = false;
          if (!(await run())) over = true;
          else await pause(GATHER);
        }
        lost(false);
      } catch {
        lost(true);
        setTimeout(fetchNews, AGAIN);
      }
      fetching = false;
      if (over) stop();
    }

    function listen() {
      if (over || source || document.hidden) return;
      const { after } = document.getElementById("run-position").dataset;
      const path = location.pathname.replace(/\/$/, "").slice(root.length);
      source = new EventSource(`${root}/api/v1${path}/events?${new URLSearchParams({ after })}`);
      for (const kind of ["run", "stage", "log", "end"]) source.addEventListener(kind, fetchNews);
      source.addEventListener("end", stop);
      source.addEventListener("open", () => {
        clearTimeout(silent);
        lost(false);
      });
      source.addEventListener("error", () => {
        if (source?.readyState === EventSource.CLOSED) return fallBack();
        clearTimeout(silent);
        silent = setTimeout(() => lost(true), LOST_AFTER);
      });
    }

    // Who does not look needs no place among the followers.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) stop();
      else listen();
    });
    // Times such as "a minute ago" change without an event.
    setInterval(() => document.hidden || over || fetchNews(), SLOWEST);
    listen();
  }

  // How long something has lasted goes on between two answers. As workers/times.py says it.
  const UNITS = [["day", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  function duration(milliseconds) {
    if (milliseconds < 1000) return `${Math.floor(milliseconds)} ms`;
    if (milliseconds < 10000) return `${(milliseconds / 1000).toFixed(1).replace(".0", "")} s`;
    let left = Math.floor(milliseconds / 1000);
    const parts = UNITS.map(([unit, length]) => {
      const count = Math.floor(left / length);
      left %= length;
      return [count, unit === "day" && count > 1 ? "days" : unit];
    });
    const largest = parts.findIndex(([count]) => count);
    return parts.slice(largest, largest + 2).filter(([count]) => count)
      .map((part) => part.join(" ")).join(" ");
  }

  const since = new WeakMap();

  function tick() {
    for (const one of document.querySelectorAll("[data-lasting]")) {
      if (!since.has(one)) since.set(one, performance.now() - Number(one.dataset.lasting));
      else one.textContent = duration(performance.now() - since.get(one));
    }
  }

  function told(state) {
    document.getElementById("run-told").textContent = `The run is now ${state}.`;
    document.title = document.title.replace(/^[^:]+/, state[0].toUpperCase() + state.slice(1));
  }

  async function list() {
    const fresh = await fetched(location.href);
    if (fresh) swap(fresh.getElementById("runs"));
    return Boolean(fresh);
  }

  const position = document.getElementById("run-position");
  if (position && position.dataset.ended === "no") {
    tick();
    setInterval(tick, EVERY);
    if (window.EventSource) follow();
    else forever(EVERY, run);
  }
  const runs = document.querySelector("#runs[data-live]");
  if (runs) forever(Number(runs.dataset.live), list);

  // Times in the reader's own zone, wherever the exact one is asked for.
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (!time || time.dataset.local || !/UTC$/.test(time.title)) return;
    time.dataset.local = "yes";
    if (/^\d/.test(time.title)) time.title += `\n${new Date(time.dateTime).toLocaleString()} here`;
  });
})();
