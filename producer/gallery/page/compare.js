// Before and after over each other, with a divider that follows the pointer; side by side where the page says so.
"use strict";

const compare = (() => {
  function element(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function picture(source, fallback, name) {
    const image = new Image();
    image.className = name;
    image.alt = name;
    image.decoding = "async";
    image.draggable = false;
    image.loading = "lazy";
    image.onerror = () => {
      if (fallback && !image.src.endsWith(fallback)) image.src = fallback;
      else image.replaceWith(element("p", `missing ${name}`, "The picture is gone."));
    };
    image.src = source;
    return image;
  }

  function set(box, share) {
    box.style.setProperty("--cut", `${Math.min(100, Math.max(0, share))}%`);
  }

  function follow(box, event) {
    const place = box.getBoundingClientRect();
    set(box, (100 * (event.clientX - place.left)) / place.width);
  }

  // `large`: the result itself instead of its small picture; `variant`: which of a row's results.
  function make(row, { large = false, variant = 0 } = {}) {
    const box = element("div", "compare");
    const after = row.after?.[variant];
    if (after) box.append(picture(large && after.full ? after.full : after.small, after.small, "after"));
    if (row.before) box.append(picture(row.before, null, "before"));
    if (after && row.before) {
      box.classList.add("both");
      box.append(element("span", "tag left", "before"), element("span", "tag right", after.turn ? `turn ${after.turn}` : "after"), element("i", "divider"));
      box.addEventListener("pointermove", (event) => follow(box, event));
      if (!large) box.addEventListener("pointerleave", () => set(box, 50));
    } else if (!after && !row.before) {
      box.append(element("p", "missing", row.image ? "There is no picture to show." : "There is no picture."));
    } else {
      // A row that names no image was made from its instruction alone.
      const only = row.before ? "before" : row.image ? "after" : "made";
      box.append(element("span", `tag ${only === "before" ? "left" : "right"}`, only));
    }
    if (!after && row.state === "done") box.append(element("span", "tag right gone", "the result is gone"));
    return box;
  }

  return { make, set, element };
})();
