// A row as a card of the list.
"use strict";

const card = (() => {
  const { element } = compare;

  function duration(seconds) {
    if (seconds < 0.05) return "0\u00a0s";
    return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}\u00a0s`;
  }

  function meta(row) {
    const parts = [`row ${row.row}`];
    if (row.seconds?.model !== undefined) parts.push(duration(row.seconds.model));
    if (row.worker) parts.push(row.worker.split("@")[0]);
    if (row.after?.length > 1) parts.push(`${row.after.length} pictures`);
    return parts.join(" · ");
  }

  // At most so many warnings, and how many more there are.
  function badges(row, most = Infinity) {
    const box = element("p", "badges");
    const kinds = query.warnings(row);
    if (row.state === "failed") box.append(element("span", "badge bad", "failed"));
    if (row.state === "kept") box.append(element("span", "badge", "kept"));
    for (const kind of kinds.slice(0, most)) {
      const badge = element("span", "badge warn", kind);
      badge.title = gallery.facts.meaning[kind] ?? "";
      box.append(badge);
    }
    if (kinds.length > most) {
      const more = element("span", "badge warn", `+${kinds.length - most}`);
      more.title = kinds.slice(most).join(", ");
      box.append(more);
    }
    return box;
  }

  function make(row) {
    const box = element("article", `card ${row.state}`);
    box.setAttribute("role", "listitem");
    box.dataset.row = row.row;
    const words = element("div", "words");
    const text = element("p", "text", row.error ?? row.text ?? "");
    text.dir = "auto";
    text.title = row.error ? `${row.text ?? ""}\n${row.error}`.trim() : row.text ?? "";
    const mark = element("button", "mark", "✓");
    mark.type = "button";
    mark.setAttribute("aria-label", `Mark row ${row.row}`);
    const foot = element("div", "foot");
    foot.append(element("p", "meta", meta(row)), badges(row, 1));
    words.append(text, foot);
    box.append(compare.make(row), words, mark);
    update(box, row);
    return box;
  }

  function update(box, row) {
    const marked = marks.has(row.row);
    box.classList.toggle("is-marked", marked);
    box.querySelector(".mark").setAttribute("aria-pressed", marked);
  }

  return { make, update, duration, badges };
})();
