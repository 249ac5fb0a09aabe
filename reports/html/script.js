"use strict";
(() => {
  // Tables: a click on a heading sorts, a third one brings the first order back.
  const collator = new Intl.Collator("en", {numeric: true});
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return null;
    if (cell.classList.contains("n")) return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
    return cell.textContent === "" ? null : cell.textContent;
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
  const prepare = (box) => {
    const table = box.querySelector("table"), body = table.tBodies[0];
    const first = [...body.rows];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      // No button element: a line could break between it and its footnote.
      const button = head.firstElementChild;
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.title = "Sort by this column";
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const next = was === null ? (head.classList.contains("n") ? "descending" : "ascending")
          : (was === "descending") === head.classList.contains("n") ? (was === "descending" ? "ascending" : "descending") : null;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        let rows = first;
        if (next) {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          rows = [...first].sort((x, y) => {
            const a = valueOf(x, column), b = valueOf(y, column);
            if (a === null || b === null) return (a === null) - (b === null);
            return sign * compare(a, b);
          });
        }
        body.append(...rows);
      });
    });
    const input = box.querySelector(".filter input"), count = box.querySelector(".filter output");
    if (!input) return;
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of first) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown++;
      }
      count.textContent = words.length ? `${shown} of ${first.length} rows` : "";
    };
    input.addEventListener("input", filter);
    filter();
  };

  // Numbers: a click shows the runs, evaluations and digests behind one.
  const dialog = document.getElementById("sources-of");
  const data = document.getElementById("sources");
  const sources = new Map((data ? JSON.parse(data.textContent) : []).map((s) => [s.key, s]));
  const element = (name, text) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const show = (cell) => {
    const body = dialog.querySelector("div");
    body.replaceChildren();
    const row = [...cell.parentElement.cells], heads = [...cell.closest("table").tHead.rows[0].cells];
    const name = (c) => (c.querySelector("button, span") || c).textContent;
    const about = row.map((c, i) => heads[i].dataset.key === undefined || !c.textContent || c === cell ? "" : c.classList.contains("n") ? name(heads[i]) + " " + name(c) : name(c));
    body.append(element("p", [...about.filter(Boolean), name(heads[row.indexOf(cell)]) + ": " + name(cell)].join(" · ")));
    if (cell.dataset.v !== undefined) body.append(element("p", "All digits: " + cell.dataset.v));
    for (const key of cell.dataset.from.split(" ")) {
      const source = sources.get(key);
      if (!source) continue;
      const title = element("h3");
      if (/^[#/]/.test(source.href || "")) {
        const link = element("a", source.name);
        link.href = source.href;
        link.addEventListener("click", () => dialog.close());
        title.append(link);
      } else title.textContent = source.name;
      const facts = element("dl");
      facts.className = "facts";
      for (const fact of source.facts || []) {
        const pair = element("div");
        pair.append(element("dt", fact.name), element("dd", fact.value));
        facts.append(pair);
      }
      body.append(title, facts);
    }
    dialog.showModal();
  };
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  const ask = (cell) => {
    const text = cell.querySelector("span");
    if (!text || !cell.dataset.from.split(" ").some((key) => sources.has(key))) return;
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Where this number comes from";
    text.replaceWith(button);
    button.append(text);
    button.addEventListener("click", () => show(cell));
  };

  // A link to something folded unfolds it. On paper everything is unfolded.
  const unfold = () => {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    if (target) target.scrollIntoView();
  };
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const e of folded) e.open = true;
  });
  addEventListener("afterprint", () => { for (const e of folded) e.open = false; });
  addEventListener("hashchange", unfold);

  // What a page brings in later is prepared by the same call.
  window.headroom = {prepare: (root) => {
    root.querySelectorAll(".table").forEach(prepare);
    root.querySelectorAll("td[data-from]").forEach(ask);
  }};
  window.headroom.prepare(document);
  if (location.hash) unfold();
})();
