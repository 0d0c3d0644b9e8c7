// Fetches this page again every few seconds and exchanges what is marked data-live. The page is whole
// without it. Nothing moves while the tab is hidden, or inside a part that has the focus or a selection.
"use strict";

const EVERY = 5000;
const parser = new DOMParser();

function isInUse(element) {
  const selection = document.getSelection();
  const selects = selection && !selection.isCollapsed && element.contains(selection.anchorNode);
  return selects || element.contains(document.activeElement);
}

function exchange(fresh) {
  document.title = fresh.title;
  for (const now of document.querySelectorAll("[data-live]")) {
    const then = fresh.getElementById(now.id);
    if (!then || isInUse(now) || now.innerHTML === then.innerHTML) continue;
    const tops = [...now.querySelectorAll(".lines, .scroll")].map((box) => box.scrollTop);
    now.replaceChildren(...then.childNodes);
    [...now.querySelectorAll(".lines, .scroll")].forEach((box, index) => { box.scrollTop = tops[index] || 0; });
  }
  const title = fresh.getElementById("containers-title");
  if (title) document.getElementById("containers-title").textContent = title.textContent;
}

async function refresh() {
  if (document.hidden) return;
  const fresh = document.getElementById("fresh");
  try {
    const answer = await fetch(location.pathname + location.search, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    exchange(parser.parseFromString(await answer.text(), "text/html"));
    fresh.classList.remove("stale");
  } catch {
    fresh.classList.add("stale");
    if (!fresh.dataset.stale) fresh.append(" – fenghuo up does not answer");
  }
  fresh.dataset.stale = fresh.classList.contains("stale") ? "yes" : "";
}

async function turn() {
  await refresh();
  setTimeout(turn, EVERY);
}

setTimeout(turn, EVERY);
document.addEventListener("visibilitychange", refresh);
