// The page works without this file. It adds what a reload can't: copy buttons, a clock that runs, and
// the live state. When the state changes, the server's own page is read again and its parts are put in
// place, so that there is one way of drawing them.
(() => {
  "use strict";
  const main = document.getElementById("checkout");
  if (!main || !main.dataset.events) return;
  const said = document.getElementById("said");
  const pollEvery = 5000;

  const say = (text) => {
    said.textContent = "";
    requestAnimationFrame(() => { said.textContent = text; });
  };

  // Copying

  const copyWithSelection = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  // Browsers offer the clipboard on https and localhost only.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyWithSelection(text);
    }
  };

  const showCopyButtons = () => {
    for (const button of main.querySelectorAll("button.copy")) button.hidden = false;
  };

  main.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const label = button.firstElementChild;
    const done = await copy(button.dataset.copy);
    button.focus();
    label.textContent = done ? "Copied" : "Failed";
    say(done ? "Copied" : "Could not copy. Select the text instead.");
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });

  // The clock: counted from the server's, since a payer's own may be wrong.

  let deadline = 0;
  const warned = new Set();

  const clockText = (seconds) => {
    const two = (number) => String(number).padStart(2, "0");
    const tail = two(seconds % 60);
    if (seconds < 3600) return `${Math.floor(seconds / 60)}:${tail}`;
    return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${tail}`;
  };

  const readClock = () => {
    const clock = document.getElementById("time-left");
    deadline = clock ? Date.now() + Number(clock.dataset.seconds) * 1000 : 0;
  };

  const tick = () => {
    const clock = document.getElementById("time-left");
    if (!clock || !deadline) return;
    const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
    clock.textContent = clockText(left);
    clock.parentElement.classList.toggle("soon", left <= 60);
    for (const minutes of [5, 1]) {
      if (left === minutes * 60 && !warned.has(minutes)) {
        warned.add(minutes);
        say(minutes === 1 ? "One minute left" : `${minutes} minutes left`);
      }
    }
    if (left === 0) {
      deadline = 0;
      poll();
    }
  };

  // The state

  let shown = main.dataset.state;
  let asked = 0;
  let ended = JSON.parse(shown).final;

  const setText = (id, text) => {
    const element = document.getElementById(id);
    if (element.textContent !== text) element.textContent = text;
  };

  const redraw = async () => {
    const mine = ++asked;
    const answer = await fetch(main.dataset.page, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    for (const part of main.querySelectorAll("[data-swap]")) {
      const other = fresh.querySelector(`[data-swap="${part.dataset.swap}"]`);
      if (other) part.replaceWith(document.adoptNode(other));
    }
    document.title = fresh.title;
    main.dataset.phase = fresh.getElementById("checkout").dataset.phase;
    showCopyButtons();
    readClock();
    tick();
  };

  const apply = (json) => {
    if (json === shown) return;
    const state = JSON.parse(json);
    shown = json;
    ended = state.final;
    setText("state-title", state.title);
    setText("state-message", state.message);
    redraw().catch(() => {
      shown = "";
      setTimeout(poll, 3000);
    });
    if (ended) stop();
  };

  let events = null;
  let timer = 0;

  const stop = () => {
    if (events) events.close();
    clearInterval(timer);
    events = null;
    timer = 0;
  };

  const poll = async () => {
    try {
      const answer = await fetch(main.dataset.poll, { cache: "no-cache" });
      if (answer.ok) apply(await answer.text());
    } catch {
      // Offline for a moment: the next round will tell.
    }
  };

  const startPolling = () => {
    if (!timer && !ended) timer = setInterval(poll, pollEvery);
  };

  const listen = () => {
    if (ended) return;
    if (!window.EventSource) {
      startPolling();
      return;
    }
    events = new EventSource(main.dataset.events);
    events.onopen = () => {
      clearInterval(timer);
      timer = 0;
    };
    events.onmessage = (event) => apply(event.data);
    // The browser tries again by itself; until it succeeds, the state is asked for.
    events.onerror = startPolling;
  };

  // A phone that comes back from the wallet has slept through the events.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !ended) poll();
  });

  showCopyButtons();
  readClock();
  tick();
  setInterval(tick, 1000);
  listen();
})();
