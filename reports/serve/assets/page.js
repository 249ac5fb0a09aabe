// Pages that work without this script get: links and forms that change a part of the
// page, news of what changes, keys, and copying. Text of a workspace comes as markup that
// the server has escaped, and nothing here makes markup of it.
"use strict";

(function () {
  let stream = null, closedAt = 0, heard = "";

  const main = () => document.getElementById("main");
  const byId = id => document.getElementById(id);

  // show fetches a page and puts its content in place of this one.
  let asked = 0;
  async function show(address, how) {
    const mine = ++asked;
    let answer;
    try {
      answer = await fetch(address, { headers: { Accept: "text/html" } });
    } catch {
      said("not connected: the program does not answer", true);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("main");
    if (mine !== asked) return;
    if (!next) { location.href = address; return; }
    const open = [...document.querySelectorAll("details[open] > summary")].map(s => s.parentElement.className);
    main().replaceWith(next);
    byId("fault").replaceWith(page.getElementById("fault"));
    for (const d of document.querySelectorAll("details")) if (d.className && open.includes(d.className)) d.open = true;
    document.title = page.title;
    if (how === "push") history.pushState(null, "", address);
    if (how === "replace") history.replaceState(null, "", address);
    begin();
    const anchor = new URL(address, location.href).hash;
    if (anchor && byId(anchor.slice(1))) byId(anchor.slice(1)).scrollIntoView();
  }

  // begin makes a page that has just been put in place work.
  function begin() {
    listen(window.headroomCurves.begin(byId("curves")));
  }

  function said(text, lost) {
    const at = byId("connection");
    at.textContent = text;
    at.classList.toggle("lost", !!lost);
  }

  // listen opens the stream of the page's news once its curves have come.
  async function listen(drawn) {
    if (stream) { stream.close(); stream = null; }
    const address = main().dataset.live;
    if (!address) return;
    const page = main();
    const cursor = await drawn;
    if (page !== main()) return; // another one has come meanwhile
    const url = new URL(address, location.href);
    if (cursor) url.searchParams.set("after", cursor);
    const width = window.headroomCurves.width();
    if (width) url.searchParams.set("width", width);
    stream = new EventSource(url);
    const mine = stream;
    stream.onopen = () => { closedAt = 0; said("live" + heard); };
    stream.onerror = () => {
      closedAt = closedAt || Date.now();
      const seconds = Math.round((Date.now() - closedAt) / 1000);
      said("disconnected" + (seconds > 1 ? " for " + seconds + " s" : "") + ": trying again", true);
      if (mine.readyState === EventSource.CLOSED) setTimeout(() => { if (stream === mine) listen(window.headroomCurves.cursor()); }, 3000);
    };
    stream.addEventListener("news", e => {
      window.headroomCurves.cursorIs(e.lastEventId);
      arrived(JSON.parse(e.data));
    });
  }

  function arrived(news) {
    heard = ", last news " + new Date().toLocaleTimeString();
    said("live" + heard);
    document.title = news.title;
    const fault = byId("fault");
    fault.hidden = !news.fault;
    fault.textContent = news.fault ? "The workspace cannot be read now, and what is shown may be old: " + news.fault : "";
    for (const [id, html] of Object.entries(news.parts || {})) {
      const at = byId(id);
      if (!at) continue;
      const row = id === "table" ? current() && current().id : "";
      const checked = id === "table" ? new Set([...at.querySelectorAll("input[name=run]:checked")].map(i => i.value)) : null;
      const open = [...at.querySelectorAll("details[open]")].map(d => d.className);
      at.innerHTML = html;
      for (const d of at.querySelectorAll("details")) if (open.includes(d.className)) d.open = true;
      if (row && byId(row)) byId(row).classList.add("at");
      if (checked) for (const i of at.querySelectorAll("input[name=run]")) i.checked = i.checked || checked.has(i.value);
    }
    for (const [id, html] of Object.entries(news.rows || {})) {
      const old = byId("r-" + id);
      if (!old) continue;
      const holder = document.createElement("tbody");
      holder.innerHTML = html;
      const row = holder.firstElementChild;
      const box = old.querySelector("input[name=run]");
      if (old.classList.contains("at")) row.classList.add("at");
      if (box && box.checked) row.querySelector("input[name=run]").checked = true;
      const focused = old.contains(document.activeElement) && [...old.querySelectorAll("a,input")].indexOf(document.activeElement);
      old.replaceWith(row);
      if (focused !== false && focused >= 0) row.querySelectorAll("a,input")[focused].focus();
    }
    if (news.redraw) {
      window.headroomCurves.begin(byId("curves"));
    } else if (news.curves) window.headroomCurves.add(news.curves);
    document.dispatchEvent(new CustomEvent("headroom-news"));
  }

  document.addEventListener("click", e => {
    const copy = e.target.closest("[data-copy]");
    if (copy) {
      const done = () => { copy.textContent = "copied"; setTimeout(() => { copy.textContent = "copy"; }, 1500); };
      navigator.clipboard ? navigator.clipboard.writeText(copy.dataset.copy).then(done, () => select(copy)) : select(copy);
      return;
    }
    const link = e.target.closest("a[data-soft]");
    if (!link || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    show(link.href, "push");
  });

  // select marks what could not be copied.
  function select(button) {
    getSelection().selectAllChildren(button.previousElementSibling);
  }

  document.addEventListener("submit", e => {
    const form = e.target;
    if (form.method === "dialog" || !("soft" in form.dataset)) return;
    e.preventDefault();
    const action = e.submitter && e.submitter.getAttribute("formaction") || form.getAttribute("action");
    const url = new URL(action, location.href);
    for (const [name, value] of new FormData(form)) if (value !== "") url.searchParams.append(name, value);
    show(url.pathname + url.search, "push");
  });

  addEventListener("popstate", () => show(location.href, ""));

  // Keys.
  const rows = () => [...document.querySelectorAll("table.runs tbody tr")];
  const current = () => document.querySelector("table.runs tr.at");
  function move(by) {
    const all = rows(), at = current();
    if (!all.length) return;
    const next = all[at ? Math.min(all.length - 1, Math.max(0, all.indexOf(at) + by)) : 0];
    if (at) at.classList.remove("at");
    next.classList.add("at");
    next.scrollIntoView({ block: "nearest" });
  }
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    Enter: () => { const at = current(); if (at) at.querySelector("a.open").click(); },
    x: () => { const at = current(); if (at) at.querySelector("input").click(); },
    "/": () => { const f = byId("only"); if (f) { f.focus(); f.select(); } },
    u: () => { const up = byId("up") || document.querySelector("nav.up a"); up.click(); },
    c: () => { const b = byId("compare"); if (b) b.click(); },
    0: () => { const b = byId("zoom-end"); if (b) b.click(); },
    "?": () => byId("keys").showModal(),
  };
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || byId("keys").open) return;
    if (e.target.closest("input, select, textarea")) {
      if (e.key === "Escape") e.target.blur();
      return;
    }
    const pressed = e.target.closest("a, button, summary");
    // A button of the help that has just been closed may keep the focus for a while.
    if (e.key === "Enter" && pressed && !pressed.closest("dialog")) return;
    const act = keys[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });

  window.headroomShow = show;
  begin();
})();
