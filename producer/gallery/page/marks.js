// Marked rows: kept by the browser per run, and copied as an option for a command.
"use strict";

const marks = (() => {
  const rows = new Set();
  const listeners = [];
  let place = null;

  function store() {
    try {
      localStorage.setItem(place, JSON.stringify([...rows]));
    } catch {
      // A browser that stores nothing for files still has the marks until it is closed.
    }
  }

  function changed() {
    store();
    listeners.forEach((listener) => listener());
  }

  function option() {
    return `--rows ${query.spans(rows)}`;
  }

  async function copy(field) {
    try {
      await navigator.clipboard.writeText(option());
    } catch {
      // Where a page that was opened as a file may not write to the clipboard by itself.
      field.focus();
      field.select();
      return document.execCommand("copy");
    }
    return true;
  }

  return {
    open(run) {
      if (place !== null) return;
      place = `marked:${run}`;
      try {
        for (const row of JSON.parse(localStorage.getItem(place) ?? "[]")) if (Number.isInteger(row)) rows.add(row);
      } catch {
        rows.clear();
      }
    },
    has: (row) => rows.has(row),
    get size() { return rows.size; },
    toggle(row) { if (!rows.delete(row)) rows.add(row); changed(); },
    add(more) { more.forEach((row) => rows.add(row)); changed(); },
    clear() { rows.clear(); changed(); },
    onChange(listener) { listeners.push(listener); },
    option,
    copy,
  };
})();
