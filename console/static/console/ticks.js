// The list of reports: one tick for all on the page, and buttons that need one.
(() => {
  "use strict";

  const all = document.querySelector("[data-ticks]");
  if (!all) {
    return;
  }
  const ticks = [...document.querySelectorAll(`[type=checkbox][name=${all.dataset.ticks}]`)];
  const buttons = document.querySelectorAll(`[data-needs=${all.dataset.ticks}]`);

  function count() {
    const ticked = ticks.filter((tick) => tick.checked).length;
    all.checked = ticked === ticks.length;
    all.indeterminate = ticked > 0 && !all.checked;
    buttons.forEach((button) => { button.disabled = ticked === 0; });
  }

  all.addEventListener("change", () => {
    ticks.forEach((tick) => { tick.checked = all.checked; });
    count();
  });
  ticks.forEach((tick) => tick.addEventListener("change", count));
  count();
})();
