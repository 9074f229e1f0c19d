// The data: scripts that call `gallery.run` and `gallery.rows`, since a page that was opened as a file may load no other.
"use strict";

const gallery = (() => {
  const chunks = new Map();
  const listeners = [];
  let facts = null;
  let told = false;

  function load(source) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new Error(source)); };
      document.head.append(script);
    });
  }

  // Many chunks may come within one frame.
  function tell() {
    if (told) return;
    told = true;
    requestAnimationFrame(() => {
      told = false;
      listeners.forEach((listener) => listener());
    });
  }

  async function refresh() {
    await load(`data/run.js?${Date.now()}`);
    const wanted = new Map(facts.chunks.map((chunk) => [chunk.name, chunk.digest]));
    for (const name of chunks.keys()) if (!wanted.has(name)) chunks.delete(name);
    const news = [...wanted].filter(([name, digest]) => chunks.get(name)?.digest !== digest);
    await Promise.allSettled(news.map(async ([name, digest]) => {
      await load(`data/${name}?${digest}`);
      chunks.get(name).digest = digest;
    }));
    tell();
  }

  async function follow() {
    await refresh().catch(() => {});
    if (facts === null || facts.live) setTimeout(follow, 1000);
  }

  return {
    run(found) { facts = found; tell(); },
    rows(name, rows) { chunks.set(name, { rows, digest: null }); tell(); },
    onNews(listener) { listeners.push(listener); },
    follow,
    get facts() { return facts; },
    all() { return (facts ? facts.chunks : []).flatMap((chunk) => chunks.get(chunk.name)?.rows ?? []); },
  };
})();
