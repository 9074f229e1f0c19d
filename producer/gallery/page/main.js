// What belongs together: the bar, the list, the viewer and the data.
"use strict";

const main = (() => {
  const NAMES = { all: "All", done: "Done", failed: "Failed", warning: "Warnings", kept: "Kept", marked: "Marked" };
  const at = (name) => document.getElementById(name);
  const wanted = { kind: "all", text: "", key: "row", descending: false };
  let all = [];
  let opened = false;

  function update(options) {
    const shown = query.select(all, { ...wanted, marked: marks });
    list.show(shown, options);
    at("empty").hidden = shown.length > 0;
    at("empty").textContent = all.length ? "No row is like that." : "No row is finished yet.";
    at("mark-shown").textContent = `Mark all ${shown.length} shown`;
  }

  const tabs = Object.entries(NAMES).map(([kind, name]) => {
    const tab = compare.element("button", `tab ${kind}`, name);
    const count = compare.element("span", "count");
    tab.type = "button";
    tab.append(count);
    tab.addEventListener("click", () => { wanted.kind = kind; tell(); update(); });
    at("states").append(tab);
    return { kind, tab, count };
  });

  // How many rows there are of which kind; what there is none of has no place.
  function tell() {
    const counts = { ...query.counts(all), marked: marks.size };
    for (const { kind, tab, count } of tabs) {
      tab.hidden = kind !== "all" && kind !== wanted.kind && !counts[kind];
      tab.setAttribute("aria-pressed", kind === wanted.kind);
      count.textContent = counts[kind].toLocaleString("en");
    }
  }

  function marked() {
    at("marked").hidden = marks.size === 0;
    at("marked-count").textContent = `${marks.size} marked`;
    at("marked-rows").value = marks.option();
    at("copy").textContent = "Copy";
    tell();
    list.remark();
    viewer.remark();
    if (wanted.kind === "marked") update({ keep: true });
  }

  function news() {
    const { name, live, step, waiting, run } = gallery.facts;
    all = gallery.all();
    marks.open(run);
    document.title = `${name} – gallery`;
    at("name").textContent = name;
    at("live").hidden = !live;
    const notes = [
      step > 1 && `one row in ${step} is shown`,
      waiting > 0 && `${waiting.toLocaleString("en")} row${waiting === 1 ? "" : "s"} to come`,
    ];
    at("note").textContent = notes.filter(Boolean).join(" · ");
    marked();
    update({ keep: true });
    viewer.refresh();
    if (!opened && all.length) {
      opened = true;
      performance.mark("rows-shown");
    }
  }

  function sideBySide() {
    const side = document.body.dataset.view !== "side";
    document.body.dataset.view = side ? "side" : "slider";
    at("view").setAttribute("aria-pressed", side);
    list.layout();
  }

  async function copy() {
    if (!marks.size) return;
    at("copy").textContent = (await marks.copy(at("marked-rows"))) ? "Copied" : "Select and copy";
  }

  let typing = null;
  at("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { wanted.text = at("search").value; update(); }, 80);
  });
  at("sort").addEventListener("change", () => { wanted.key = at("sort").value; update(); });
  at("order").addEventListener("click", () => {
    wanted.descending = !wanted.descending;
    at("order").textContent = wanted.descending ? "↓" : "↑";
    at("order").setAttribute("aria-label", wanted.descending ? "Descending; click for ascending" : "Ascending; click for descending");
    update();
  });
  at("size").addEventListener("input", () => list.resize(Number(at("size").value)));
  at("view").addEventListener("click", sideBySide);
  at("copy").addEventListener("click", copy);
  at("clear").addEventListener("click", () => marks.clear());
  at("mark-shown").addEventListener("click", () => {
    marks.add(Array.from({ length: list.length }, (_, index) => list.at(index).row));
  });
  at("help-button").addEventListener("click", () => keys.help.showModal());
  at("list").addEventListener("click", (event) => {
    const box = event.target.closest(".card");
    if (!box) return;
    const index = list.indexOf(Number(box.dataset.row));
    if (event.target.closest(".mark")) {
      list.go(index);
      marks.toggle(Number(box.dataset.row));
    } else viewer.open(index);
  });

  marks.onChange(marked);
  gallery.onNews(() => { if (gallery.facts) news(); });
  gallery.follow();

  return { sideBySide, copy };
})();
