/** A form that makes something new is sent once: a second click while it is on its way is a slip. */

const SLIP_MS = 10_000;

function sendOnce(form) {
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
    setTimeout(allowAgain, SLIP_MS);
  });
  // Coming back with the browser's Back button may show the very page that was left.
  addEventListener("pageshow", allowAgain);

  function allowAgain() {
    isSent = false;
  }
}

for (const form of document.querySelectorAll("[data-submit-once]")) sendOnce(form);
