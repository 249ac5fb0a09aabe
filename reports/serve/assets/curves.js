// Draws a page's curves with uPlot: a plot per series, all with one axis of steps.
"use strict";

window.headroomCurves = (function () {
  const light = ["#2a6fdb", "#d1495b", "#2e933c", "#b5651d", "#7a4fc0", "#008b9a", "#c2297f", "#6b7a00", "#5b6472", "#e08a00"];
  const dark = ["#6ea8ff", "#ff8291", "#66cf75", "#e09a5a", "#b193f0", "#4fc3d0", "#f07bb8", "#b8c65a", "#a0aab8", "#ffbe55"];
  const dashes = [[], [6, 4], [2, 3], [8, 3, 2, 3]];
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let section = null, plots = [], data = null, cursor = "", hidden = new Set(), sync = null, loading = 0;

  const parameter = name => new URL(document.getElementById("main").dataset.page, location.href).searchParams.get(name);
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = i => (scheme.matches ? dark : light)[i % 10];

  function width() {
    if (!section) return 0;
    return Math.min(1200, Math.max(120, Math.round(section.clientWidth / 3)));
  }

  // begin reads the curves of a section and draws them; it returns the cursor of what it has.
  async function begin(next) {
    section = next && next.dataset.source ? next : null;
    stop();
    if (!section) return "";
    const mine = ++loading, holder = section.querySelector("#plots");
    if (!holder.querySelector("figure")) say(holder, "The curves are being read.");
    const url = new URL(section.dataset.source, location.href);
    url.searchParams.set("width", width());
    try {
      const answer = await fetch(url);
      const got = await answer.json();
      if (mine !== loading) return cursor;
      if (!answer.ok) throw new Error(got.error.message);
      data = got;
      cursor = got.cursor;
      draw();
    } catch (e) {
      if (mine === loading) say(holder, "The curves cannot be read now: " + e.message);
    }
    return cursor;
  }

  function say(holder, text) {
    const p = document.createElement("p");
    p.className = "none";
    p.textContent = text;
    holder.replaceChildren(p);
  }

  function stop() {
    for (const p of plots) p.destroy();
    plots = [];
    data = null;
  }

  // smooth is an exponential mean that begins without a bias.
  function smooth(values, amount) {
    let sum = 0, weight = 0;
    return values.map(v => {
      if (v == null) return null;
      sum = sum * amount + v * (1 - amount);
      weight = weight * amount + (1 - amount);
      return sum / weight;
    });
  }

  // aligned gives curves a common axis of steps.
  function aligned(columns) {
    const all = new Set();
    for (const c of columns) for (const s of c.steps) all.add(s);
    const steps = Float64Array.from(all).sort();
    const place = new Map();
    steps.forEach((s, i) => place.set(s, i));
    return [steps].concat(columns.map(c => {
      const out = new Array(steps.length).fill(undefined); // undefined is no gap, null is one
      c.steps.forEach((s, i) => { out[place.get(s)] = c.values[i]; });
      return out;
    }));
  }

  const digits = v => v == null ? "–" : Math.abs(v) >= 1e5 || v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(3) : String(+v.toPrecision(5));

  function draw() {
    const holder = section.querySelector("#plots");
    const logarithmic = parameter("log") === "1", amount = Number(parameter("smooth") || 0);
    for (const p of plots) p.destroy();
    plots = [];
    sync = uPlot.sync("headroom");
    holder.replaceChildren();
    for (const series of data.series) holder.append(figure(series, logarithmic, amount));
    legend();
  }

  // dataOf is what uPlot takes of a series: per curve its band, raw under smoothed, its line.
  function dataOf(series) {
    const logarithmic = parameter("log") === "1", amount = Number(parameter("smooth") || 0), columns = [];
    for (const c of series.curves) {
      if (c.low) columns.push({ steps: c.steps, values: c.high }, { steps: c.steps, values: c.low });
      if (amount > 0) columns.push({ steps: c.steps, values: c.values });
      columns.push({ steps: c.steps, values: amount > 0 ? smooth(c.values, amount) : c.values });
    }
    return aligned(columns.map(c => logarithmic ? { steps: c.steps, values: c.values.map(v => v > 0 ? v : null) } : c));
  }

  function figure(series, logarithmic, amount) {
    const box = document.createElement("figure"), caption = document.createElement("figcaption"), values = document.createElement("p");
    caption.textContent = series.name + " ";
    values.className = "values";
    const settings = [{ label: "step" }], bands = [];
    series.curves.forEach((c, i) => {
      const show = !hidden.has(c.id), stroke = colour(i), dash = dashes[Math.floor(i / 10) % dashes.length];
      const line = { label: c.label, show, stroke, dash, width: 1.6, spanGaps: false, points: { show: c.steps.length < 2 } };
      if (c.low) {
        settings.push({ label: "", show, stroke: "transparent", points: { show: false } }, { label: "", show, stroke: "transparent", points: { show: false } });
        bands.push({ series: [settings.length - 2, settings.length - 1], fill: stroke + "2e" });
      }
      if (amount > 0) settings.push(Object.assign({}, line, { label: "", stroke: stroke + "55", width: 1 }));
      settings.push(Object.assign(line, { curve: c }));
    });
    const bad = series.curves.reduce((n, c) => n + (c.bad || []).length, 0);
    const note = document.createElement("small");
    if (bad) note.textContent = "values that are none at " + bad + (bad === 1 ? " place" : " places");
    const some = series.curves.some(c => c.steps.length);
    if (!some) note.textContent = bad ? "every value is none" : "no value yet";
    caption.append(note);
    box.append(caption);
    if (!some && !bad) return box;
    const axis = { stroke: css("--muted"), grid: { stroke: css("--rule"), width: .6 }, ticks: { stroke: css("--rule"), width: .6 } };
    const positive = series.curves.some(c => c.values.some(v => v > 0));
    const plot = new uPlot({
      width: Math.max(280, box.clientWidth || holderWidth()), height: 240,
      legend: { show: false }, focus: { alpha: .25 },
      cursor: { sync: { key: "headroom" }, focus: { prox: 24 }, drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
      scales: { x: { time: false }, y: logarithmic && positive ? { distr: 3 } : {} },
      axes: [Object.assign({}, axis), Object.assign({ size: 62, values: (u, ticks) => ticks.map(v => v == null ? "" : digits(v)) }, axis)],
      series: settings, bands,
      hooks: {
        drawClear: [marks],
        draw: [u => badMarks(u, series)],
        setSelect: [zoomed],
        setCursor: [u => hover(u, values)],
        ready: [u => u.over.addEventListener("dblclick", unzoom)],
      },
    }, dataOf(series), box);
    plot.series_ = series;
    plots.push(plot);
    box.append(values);
    return box;
  }

  function holderWidth() {
    const holder = section.querySelector("#plots");
    const columns = Math.max(1, Math.min(data.series.length, Math.floor((holder.clientWidth + 13) / 493)));
    return Math.floor((holder.clientWidth - 13 * (columns - 1)) / columns);
  }

  // marks shades the episodes of the runs that are shown.
  function marks(u) {
    const ctx = u.ctx;
    ctx.save();
    for (const m of data.marks) {
      if (hidden.has(m.id)) continue;
      const from = u.valToPos(m.first, "x", true), to = m.stands ? Infinity : u.valToPos(Math.max(m.last, m.first + 1), "x", true);
      const left = Math.max(u.bbox.left, from), right = Math.min(u.bbox.left + u.bbox.width, to);
      if (right <= left) continue;
      const collapse = m.severity === "collapse";
      ctx.globalAlpha = Math.max(.05, .2 / Math.max(1, data.marks.length / 3));
      ctx.fillStyle = css(collapse ? "--bad" : "--warn");
      ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
      ctx.globalAlpha = .8;
      ctx.fillRect(left, u.bbox.top, 1.5 * devicePixelRatio, u.bbox.height);
      if (data.marks.length <= 4) {
        ctx.font = 11 * devicePixelRatio + "px sans-serif";
        ctx.textBaseline = "top";
        ctx.fillText(m.kind, left + 4 * devicePixelRatio, u.bbox.top + 3 * devicePixelRatio);
      }
    }
    ctx.restore();
  }

  // badMarks puts a cross at the lower edge where a value is none.
  function badMarks(u, series) {
    const ctx = u.ctx, r = 3.5 * devicePixelRatio;
    ctx.save();
    series.curves.forEach((c, i) => {
      if (hidden.has(c.id)) return;
      ctx.strokeStyle = colour(i);
      ctx.lineWidth = 1.5 * devicePixelRatio;
      for (const b of c.bad || []) {
        const x = u.valToPos(b.step, "x", true), y = u.bbox.top + u.bbox.height - r - 2;
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
        ctx.beginPath();
        ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y + r); ctx.moveTo(x + r, y - r); ctx.lineTo(x - r, y + r);
        ctx.stroke();
      }
    });
    ctx.restore();
  }

  function hover(u, at) {
    const i = u.cursor.idx;
    if (i == null) { at.textContent = ""; return; }
    const texts = [];
    u.series.forEach((s, k) => {
      if (!s.curve || !s.show) return;
      const c = s.curve, step = u.data[0][i];
      let best = -1;
      c.steps.forEach((v, j) => { if (v <= step) best = j; });
      if (best < 0) return;
      texts.push(c.label + " " + digits(c.values[best]) + (c.low ? " (" + digits(c.low[best]) + "–" + digits(c.high[best]) + ", n=" + c.runs + ")" : ""));
    });
    at.textContent = "step " + u.data[0][i] + ": " + texts.slice(0, 12).join("; ") + (texts.length > 12 ? "; …" : "");
  }

  // zoomed asks for the range that was drawn over, where points come as they are.
  function zoomed(u) {
    if (u.select.width < 4) return;
    const from = Math.max(0, Math.floor(u.posToVal(u.select.left, "x"))), to = Math.ceil(u.posToVal(u.select.left + u.select.width, "x"));
    u.setSelect({ width: 0, height: 0, left: 0, top: 0 }, false);
    go(url => { url.searchParams.set("from", from); url.searchParams.set("to", Math.max(to, from + 2)); });
  }

  function unzoom() {
    if (parameter("from") || parameter("to")) go(url => { url.searchParams.delete("from"); url.searchParams.delete("to"); });
  }

  function go(change) {
    const url = new URL(document.getElementById("main").dataset.page, location.href);
    change(url);
    window.headroomShow(url.pathname + url.search, "push");
  }

  function legend() {
    const box = section.querySelector("#legend"), first = data.series[0];
    box.replaceChildren();
    if (!first) return;
    first.curves.forEach((c, i) => {
      const button = document.createElement("button"), swatch = document.createElement("i");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!hidden.has(c.id)));
      swatch.style.background = colour(i);
      button.append(swatch, c.label + (c.runs > 1 ? " (n=" + c.runs + ")" : ""));
      button.addEventListener("click", () => {
        hidden.has(c.id) ? hidden.delete(c.id) : hidden.add(c.id);
        draw();
      });
      box.append(button);
    });
  }

  // add puts new points at the ends of the curves that have some.
  function add(news) {
    if (!data) return;
    data.marks = news.marks;
    let anew = false; // what is drawn has another form now
    for (const part of news.series) {
      const series = data.series.find(s => s.name === part.name);
      if (!series) continue;
      for (const c of part.curves) {
        const old = series.curves.find(o => o.id === c.id);
        if (!old) { series.curves.push(c); anew = true; continue; }
        anew = anew || old.steps.length < 2 || (c.bad || []).length > 0;
        const keep = old.steps.findIndex(s => s >= c.from), n = keep < 0 ? old.steps.length : keep;
        old.steps = old.steps.slice(0, n).concat(c.steps);
        old.values = old.values.slice(0, n).concat(c.values);
        if (c.low) { old.low = (old.low || []).slice(0, n).concat(c.low); old.high = (old.high || []).slice(0, n).concat(c.high); }
        old.bad = (old.bad || []).filter(b => b.step < c.from).concat(c.bad || []);
      }
    }
    if (plots.some(p => p.select.width > 0)) return; // not while somebody draws a range
    if (anew) draw();
    else for (const p of plots) p.setData(dataOf(p.series_)); // under the pointer, whose values stay
  }

  let resizing = 0;
  addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => {
      if (!section || !data) return;
      const w = holderWidth();
      for (const p of plots) p.setSize({ width: Math.max(280, w), height: 240 });
    }, 120);
  });
  scheme.addEventListener("change", () => { if (section && data) draw(); });

  return { begin, add, width, cursor: () => cursor, cursorIs: id => { if (id) cursor = id; }, points: () => data && data.series.map(s => s.curves.map(c => c.steps.length)) };
})();
