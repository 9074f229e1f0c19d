// All that is known of a row, in words.
"use strict";

const facts = (() => {
  const { element } = compare;

  const STAGES = { decode: "read", wait: "waited for others", model: "model", encode: "saved" };

  function seconds(row) {
    const parts = Object.entries(STAGES).filter(([stage]) => row.seconds?.[stage] !== undefined);
    return parts.map(([stage, word]) => `${word} ${card.duration(row.seconds[stage])}`).join(", ");
  }

  function pairs(row) {
    return [
      ["Image", row.image],
      ["Seed", row.seed],
      ["Steps", row.steps],
      ["Seconds", seconds(row)],
      ["Batch", row.batch_size && `of ${row.batch_size}, at ${row.bucket?.join(" × ")}`],
      ["Worker", row.worker],
      ["Line", row.line],
    ].filter(([, value]) => value !== undefined && value !== "" && value !== null);
  }

  function make(row, variant) {
    const box = document.createDocumentFragment();
    const head = element("h2", "", `Row ${row.row}`);
    const text = element("p", "text", row.text ?? "");
    text.dir = "auto";
    box.append(head, card.badges(row), text);
    if (row.error) box.append(element("p", "error", row.error));
    for (const kind of query.warnings(row)) {
      box.append(element("p", "warning", `${kind}: ${gallery.facts.meaning[kind] ?? ""}`));
    }
    const table = element("dl");
    for (const [name, value] of pairs(row)) table.append(element("dt", "", name), element("dd", "", value));
    box.append(table);
    const full = row.after?.[variant]?.full;
    if (full) {
      const link = element("a", "", "Open the picture");
      link.href = full;
      link.target = "_blank";
      link.rel = "noopener";
      box.append(link);
    }
    return box;
  }

  return { make };
})();
