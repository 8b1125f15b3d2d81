"use strict";
(() => {
  const list = document.getElementById("items");
  const rows = Array.from(list.children);
  const search = document.getElementById("search");
  const sort = document.getElementById("sort");
  const count = document.getElementById("count");
  const nothing = document.getElementById("nothing");
  const chips = Array.from(document.querySelectorAll(".chip"));
  const heads = Array.from(document.querySelectorAll(".heads button"));
  const texts = new Map();
  const only = new Set();

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, (row.textContent + " " + row.querySelector(".who").title).toLowerCase());
    return texts.get(row);
  };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const keep = (!only.size || only.has(row.dataset.outcome)) && (!words.length || words.every((word) => textOf(row).includes(word)));
      row.hidden = !keep;
      if (keep) shown += 1;
    }
    const all = rows.length.toLocaleString("en");
    count.textContent = shown === rows.length ? all + (shown === 1 ? " item" : " items") : shown.toLocaleString("en") + " of " + all;
    nothing.hidden = shown > 0;
    list.hidden = shown === 0;
  };

  const keys = {
    rank: (row) => Number(row.dataset.rank),
    item: (row) => Number(row.dataset.item),
    outcome: (row) => row.dataset.outcome,
    name: (row) => row.querySelector(".who").title.toLowerCase(),
    p: (row) => -Number(row.dataset.p),
    len: (row) => -Number(row.dataset.len),
    cost: (row) => -Number(row.dataset.cost),
  };
  let by = "rank";
  let turn = 1;
  const order = (name, again) => {
    turn = again && name === by ? -turn : 1;
    by = name;
    const keyed = rows.map((row) => [keys[by](row), Number(row.dataset.rank), row]);
    keyed.sort((a, b) => (a[0] < b[0] ? -turn : a[0] > b[0] ? turn : a[1] - b[1]));
    list.append(...keyed.map((one) => one[2]));
    sort.value = by;
    for (const head of heads) {
      head.classList.toggle("on", head.dataset.sort === by);
      head.classList.toggle("up", turn < 0);
    }
  };

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  sort.addEventListener("change", () => order(sort.value, false));
  for (const head of heads) head.addEventListener("click", () => order(head.dataset.sort, true));
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const on = chip.getAttribute("aria-pressed") !== "true";
      chip.setAttribute("aria-pressed", String(on));
      if (on) only.add(chip.dataset.only);
      else only.delete(chip.dataset.only);
      filter();
    });
  }
  sort.value = by;
  filter();
})();
