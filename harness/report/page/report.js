"use strict";
// Light and dark: follows the system until the reader chooses; plots are drawn on canvas, so their colours are set here.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;

  const paint = (dark) => {
    const soft = dark ? "#a3acba" : "#545c69", line = dark ? "#2c3440" : "#dfe3e9";
    for (const doc of (window.Bokeh ? Bokeh.documents : [])) {
      for (const model of doc.all_models ?? doc._all_models.values()) {
        if (model.type.endsWith("Axis")) {
          model.setv({axis_label_text_color: soft, major_label_text_color: soft, axis_line_color: line, major_tick_line_color: line});
        } else if (model.type === "Grid" && model.grid_line_color !== null) {
          model.setv({grid_line_color: line});
        } else if (model.type === "Text" && model.tags.includes("soft")) {
          model.setv({text_color: {value: soft}});
        }
      }
    }
  };
  const apply = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-pressed", String(dark));
    paint(dark);
  };
  const current = () => chosen ?? system.matches;

  button.addEventListener("click", () => { chosen = !current(); apply(chosen); });
  system.addEventListener("change", () => apply(current()));
  window.addEventListener("beforeprint", () => apply(false));
  window.addEventListener("afterprint", () => apply(current()));
  apply(current());
  // plots come a moment after the page
  let tries = 0;
  const waiting = setInterval(() => {
    if ((window.Bokeh && Bokeh.documents.length > 0) || ++tries > 100) { clearInterval(waiting); apply(current()); }
  }, 50);
})();
