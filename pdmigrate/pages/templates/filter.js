// Without this script every row is there; with it, the long tables can be searched.
(() => {
  "use strict";
  const make = (name, kind, ...inside) => {
    const made = document.createElement(name);
    made.className = kind;
    made.append(...inside);
    return made;
  };

  const addFilter = (table) => {
    const rows = [...table.querySelectorAll("tbody tr")];
    const count = make("output", "found");
    const input = make("input", "words");
    input.type = "search";
    input.setAttribute("aria-label", "Filter: " + table.dataset.filter);
    let words = null;
    let waiting = 0;

    const apply = () => {
      words ??= rows.map((row) => row.textContent.toLowerCase());
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      rows.forEach((row, place) => {
        const fits = wanted.every((word) => words[place].includes(word));
        row.hidden = !fits;
        found += fits;
      });
      count.textContent = wanted.length ? found.toLocaleString("en") + " found" : "";
    };

    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, rows.length > 1000 ? 150 : 0);
    });
    table.querySelector(".over").append(make("label", "filter", count, make("span", "", "Filter"), input));
  };

  document.querySelectorAll("[data-filter]").forEach(addFilter);

  // A closed part would be missing on paper.
  const closed = () => document.querySelectorAll("details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...closed()];
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));
})();
