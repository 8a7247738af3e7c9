// Keeps pages fresh while something lives on them. Every page works without this.
"use strict";

(() => {
  const EVERY = 1000;
  const SLOWEST = 15000;
  const PARTS = ["state", "times", "trouble", "approval", "word", "stages", "rollout", "releases"].map(
    (name) => `run-${name}`,
  );

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
    if (!old || old.outerHTML === newer.outerHTML) return;
    const over = old.querySelector("form") && !newer.querySelector("form");
    if (busy(old) && !over) return;
    old.replaceWith(document.adoptNode(newer));
  }

  async function forever(every, step) {
    let pause = every;
    for (;;) {
      await new Promise((wake) => setTimeout(wake, pause));
      if (document.hidden) continue;
      try {
        if (!(await step())) return;
        pause = every;
        lost(false);
      } catch {
        pause = Math.min(pause * 2, SLOWEST);
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
    return !ended;
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
  if (position && position.dataset.ended === "no") forever(EVERY, run);
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
