// The list: only the cards that can be seen are in the page, whatever the number of rows.
"use strict";

const list = (() => {
  const GAP = 16;
  const WORDS = 92;
  const box = document.getElementById("list");
  const bar = document.getElementById("bar");
  const cards = new Map();
  let rows = [];
  let current = -1;
  let width = 300;
  let grid = { columns: 1, card: 300, height: 300 };
  let waiting = false;

  function measure() {
    const space = box.clientWidth;
    const columns = Math.max(1, Math.floor((space + GAP) / (width + GAP)));
    const card = (space - GAP * (columns - 1)) / columns;
    const wide = document.body.dataset.view === "side" ? 0.5 : 0.75;
    grid = { columns, card, height: Math.round(card * wide) + WORDS };
    box.style.height = `${Math.ceil(rows.length / columns) * (grid.height + GAP)}px`;
    box.style.setProperty("--card", `${card}px`);
    box.style.setProperty("--height", `${grid.height}px`);
  }

  function top(index) {
    return Math.floor(index / grid.columns) * (grid.height + GAP);
  }

  // Where the list begins to show below the bar, from its own top.
  function scrolled() {
    return window.scrollY + bar.offsetHeight - box.offsetTop;
  }

  function draw() {
    waiting = false;
    const line = grid.height + GAP;
    const first = Math.max(0, Math.floor(scrolled() / line) - 1) * grid.columns;
    const last = Math.min(rows.length, (Math.ceil((scrolled() + window.innerHeight) / line) + 1) * grid.columns);
    const wanted = new Map();
    for (let index = first; index < last; index++) wanted.set(rows[index], index);
    for (const [row, made] of cards) {
      if (!wanted.has(row)) {
        made.remove();
        cards.delete(row);
      }
    }
    for (const [row, index] of wanted) {
      let made = cards.get(row);
      if (!made) {
        made = card.make(row);
        cards.set(row, made);
        box.append(made);
      }
      const left = (index % grid.columns) * (grid.card + GAP);
      made.style.transform = `translate(${left}px, ${top(index)}px)`;
      made.classList.toggle("is-current", index === current);
      made.setAttribute("aria-setsize", rows.length);
      made.setAttribute("aria-posinset", index + 1);
    }
  }

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  }

  function layout() {
    measure();
    draw();
  }

  // `keep`: what is seen stays where it is, as rows come in; else the list begins anew.
  function show(found, { keep = false } = {}) {
    const before = Math.max(0, Math.floor(scrolled() / (grid.height + GAP))) * grid.columns;
    const anchor = keep && scrolled() > 0 ? rows[before]?.row : undefined;
    const offset = scrolled() - top(before);
    const held = rows[current]?.row;
    rows = found;
    current = held === undefined ? -1 : rows.findIndex((row) => row.row === held);
    measure();
    if (!keep) window.scrollTo(0, 0);
    const index = anchor === undefined ? -1 : rows.findIndex((row) => row.row === anchor);
    if (index >= 0) window.scrollTo(0, top(index) + offset + box.offsetTop - bar.offsetHeight);
    draw();
  }

  function go(index) {
    if (!rows.length) return;
    current = Math.min(rows.length - 1, Math.max(0, index));
    const begin = top(current) + box.offsetTop - bar.offsetHeight;
    const room = window.innerHeight - bar.offsetHeight;
    if (window.scrollY > begin - GAP) window.scrollTo(0, begin - GAP);
    else if (window.scrollY + room < begin + grid.height + GAP) window.scrollTo(0, begin + grid.height + GAP - room);
    draw();
  }

  window.addEventListener("scroll", redraw, { passive: true });
  new ResizeObserver(() => layout()).observe(box);

  return {
    show,
    layout,
    go,
    resize(pixels) { width = pixels; layout(); },
    remark() { for (const [row, made] of cards) card.update(made, row); },
    indexOf: (number) => rows.findIndex((row) => row.row === number),
    at: (index) => rows[index],
    get current() { return current; },
    get columns() { return grid.columns; },
    get length() { return rows.length; },
  };
})();
