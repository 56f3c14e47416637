/** “All on this page”: a box in `[data-select-all]` that checks all others of its form that can be checked. */

for (const place of document.querySelectorAll("[data-select-all]")) {
  const all = place.querySelector("input");
  const boxes = [...all.form.querySelectorAll('input[type="checkbox"]:enabled')].filter((box) => box !== all);

  function show() {
    const checked = boxes.filter((box) => box.checked).length;
    all.checked = checked > 0 && checked === boxes.length;
    all.indeterminate = checked > 0 && checked < boxes.length;
  }

  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  all.form.addEventListener("change", show);
  // Coming back with the browser's Back button, the boxes are as they were left.
  addEventListener("pageshow", show);
  place.hidden = false;
}
