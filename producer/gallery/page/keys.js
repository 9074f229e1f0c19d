// The keyboard.
"use strict";

const keys = (() => {
  const help = document.getElementById("help");
  const search = document.getElementById("search");

  function inList(key) {
    const at = list.current;
    switch (key) {
      case "ArrowRight": case "j": return list.go(at + 1);
      case "ArrowLeft": case "k": return list.go(at - 1);
      case "ArrowDown": return list.go(at < 0 ? 0 : at + list.columns);
      case "ArrowUp": return list.go(at - list.columns);
      case "Enter": case "z": return viewer.open(Math.max(0, at));
      case "m": case " ": return at >= 0 ? marks.toggle(list.at(at).row) : undefined;
      default: return null;
    }
  }

  function inViewer(key) {
    switch (key) {
      case "ArrowRight": case "j": return viewer.step(1);
      case "ArrowLeft": case "k": return viewer.step(-1);
      case "Enter": return viewer.close();
      case "z": return viewer.cycle();
      case "b": return viewer.before(true);
      case "n": return viewer.another();
      case "m": case " ": return viewer.mark();
      default: return null;
    }
  }

  function anywhere(key) {
    switch (key) {
      case "v": return main.sideBySide();
      case "c": return main.copy();
      case "?": return help.showModal();
      case "/": return viewer.isOpen ? null : search.focus();
      default: return null;
    }
  }

  function isTyping(target, key) {
    if (target.matches("input[type=search], select")) return true;
    // A slider has the arrows for itself, and a button Enter and the space bar.
    if (target.matches("input[type=range]")) return key.startsWith("Arrow");
    return target.matches("button, a") && (key === "Enter" || key === " ");
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === search && event.key === "Escape") {
      search.value = "";
      search.dispatchEvent(new Event("input"));
      search.blur();
    }
    if (isTyping(event.target, event.key)) return;
    const first = viewer.isOpen ? inViewer(event.key) : inList(event.key);
    if (first !== null || anywhere(event.key) !== null) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === "b" && viewer.isOpen) viewer.before(false);
  });

  return { help };
})();
