// One row in large.
"use strict";

const viewer = (() => {
  const dialog = document.getElementById("viewer");
  const stage = document.getElementById("stage");
  const slider = document.getElementById("slider");
  const SCALES = [0, 1, 2];
  let row = null;
  let index = -1;
  let variant = 0;
  let scale = 0;
  let box = null;

  function button(name, action) {
    document.getElementById(name).addEventListener("click", action);
  }

  // Of a picture in its own pixels the small one before it takes the same place.
  function fit() {
    const image = box.querySelector("img.after") ?? box.querySelector("img");
    const share = SCALES[scale];
    stage.classList.toggle("actual", share > 0);
    document.getElementById("scale").textContent = share ? `${100 * share} %` : "Fit";
    const size = share && image?.naturalWidth ? [image.naturalWidth * share, image.naturalHeight * share] : null;
    box.style.width = size ? `${size[0] / devicePixelRatio}px` : "";
    box.style.height = size ? `${size[1] / devicePixelRatio}px` : "";
  }

  function draw() {
    box = compare.make(row, { large: true, variant });
    box.addEventListener("pointermove", () => { slider.value = parseFloat(box.style.getPropertyValue("--cut")); });
    box.querySelectorAll("img").forEach((image) => {
      image.loading = "eager";
      image.addEventListener("load", fit);
    });
    stage.replaceChildren(box);
    compare.set(box, slider.value);
    slider.disabled = !box.classList.contains("both");
    document.getElementById("facts").replaceChildren(facts.make(row, variant));
    document.getElementById("place").textContent = `${index + 1} of ${list.length}`;
    const several = document.getElementById("variant");
    several.hidden = !(row.after?.length > 1);
    several.textContent = `Picture ${variant + 1} of ${row.after?.length}`;
    remark();
    fit();
  }

  function remark() {
    if (!row) return;
    const mark = document.getElementById("mark");
    mark.setAttribute("aria-pressed", marks.has(row.row));
    mark.textContent = marks.has(row.row) ? "Marked" : "Mark";
  }

  function warm(next) {
    const full = list.at(next)?.after?.[0]?.full;
    if (full) new Image().src = full;
  }

  function open(at) {
    const found = list.at(at);
    if (!found) return;
    [row, index, variant] = [found, at, 0];
    list.go(at);
    if (!dialog.open) dialog.showModal();
    draw();
    warm(at + 1);
    warm(at - 1);
  }

  slider.addEventListener("input", () => compare.set(box, slider.value));
  dialog.addEventListener("close", () => { stage.replaceChildren(); row = null; });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  const actions = {
    open,
    close: () => dialog.close(),
    step(by) { open(Math.min(list.length - 1, Math.max(0, index + by))); },
    cycle() { scale = (scale + 1) % SCALES.length; fit(); },
    before(held) { if (box) compare.set(box, held ? 100 : slider.value); },
    another() {
      if (row.after?.length > 1) {
        variant = (variant + 1) % row.after.length;
        draw();
      }
    },
    mark() { marks.toggle(row.row); },
    remark,
    // Rows came in: the one that is seen may have another place by now.
    refresh() {
      if (!row) return;
      const at = list.indexOf(row.row);
      if (at < 0) return;
      index = at;
      document.getElementById("place").textContent = `${index + 1} of ${list.length}`;
    },
    get isOpen() { return dialog.open; },
  };
  button("previous", () => actions.step(-1));
  button("next", () => actions.step(1));
  button("scale", actions.cycle);
  button("variant", actions.another);
  button("mark", actions.mark);
  button("close", actions.close);
  return actions;
})();
