/** Buttons that copy the text of an input: `<button data-copy="id of the input" hidden>`, told in `[data-copied]`. */

function offer(button) {
  const input = document.getElementById(button.dataset.copy);
  const told = document.querySelector("[data-copied]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(input.value);
      told.textContent = "Copied.";
    } catch {
      // The browser or its owner may forbid it; then the text is at least selected.
      input.focus();
      input.select();
      told.textContent = "The browser does not let us copy. The token is selected: copy it with your keyboard.";
    }
  });
}

// Only a page that came over HTTPS, or from this very machine, may write to the clipboard.
if (navigator.clipboard) for (const button of document.querySelectorAll("[data-copy]")) offer(button);
