// Which rows are shown, in which order, and how row numbers are written. Touches no page.
"use strict";

const query = (() => {
  const haystacks = new WeakMap();

  const KINDS = {
    all: () => true,
    done: (row) => row.state === "done",
    failed: (row) => row.state === "failed",
    warning: (row) => warnings(row).length > 0,
    kept: (row) => row.state === "kept",
  };

  // That a row was kept is a state of its own here, and nothing to be warned of.
  function warnings(row) {
    return (row.warnings ?? []).filter((kind) => kind !== "kept");
  }

  const KEYS = {
    row: (row) => row.row,
    seconds: (row) => row.seconds?.model,
    text: (row) => row.text?.toLowerCase(),
    worker: (row) => row.worker,
  };

  function haystack(row) {
    let text = haystacks.get(row);
    if (text === undefined) {
      const parts = [row.text, row.error, row.image, row.worker, ...warnings(row)];
      text = parts.filter((part) => part !== undefined).join("\n").toLowerCase();
      haystacks.set(row, text);
    }
    return text;
  }

  function words(text) {
    return text.toLowerCase().split(/\s+/).filter(Boolean);
  }

  // #12 is a row's number; every other word stands in one of its texts.
  function has(row, word) {
    return /^#\d+$/.test(word) ? row.row === Number(word.slice(1)) : haystack(row).includes(word);
  }

  // A row that lacks what is sorted by comes last, whichever way is up.
  function ordered(rows, key, descending) {
    const of = KEYS[key];
    const sign = descending ? -1 : 1;
    const keyed = rows.map((row) => [of(row), row]);
    keyed.sort(([one, first], [other, second]) => {
      if (one === other) return first.row - second.row;
      if (one === undefined) return 1;
      if (other === undefined) return -1;
      return one < other ? -sign : sign;
    });
    return keyed.map(([, row]) => row);
  }

  function select(rows, { kind, text, key, descending, marked }) {
    const wanted = words(text);
    const belongs = kind === "marked" ? (row) => marked.has(row.row) : KINDS[kind];
    const found = rows.filter((row) => belongs(row) && wanted.every((word) => has(row, word)));
    return key === "row" && !descending ? found : ordered(found, key, descending);
  }

  function counts(rows) {
    return Object.fromEntries(Object.entries(KINDS).map(([kind, belongs]) => [kind, rows.filter(belongs).length]));
  }

  // 7,12-20: as an option of a command takes them.
  function spans(numbers) {
    const found = [];
    for (const number of [...numbers].sort((one, other) => one - other)) {
      const last = found.at(-1);
      if (last !== undefined && number === last[1] + 1) last[1] = number;
      else found.push([number, number]);
    }
    return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
  }

  return { select, counts, spans, warnings };
})();
