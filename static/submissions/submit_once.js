/**
 * A form that makes something new is sent once, by somebody who is still logged in: a second click while it is on its way
 * is a slip, and the page to log in to would not have what was filled in here. `data-submit-once` is the address that
 * tells, `data-log-in` that of the page to log in to.
 */

import { tokenOf } from "../files/token.js";

const SLIP_MS = 10_000;
const UNAUTHORIZED = 401;
const NO_ANSWER = "The server does not answer. Try again in a while: all of it stays here.";

function sendOnce(form) {
  let isOnItsWay = false;
  let isToGo = false;
  const note = document.createElement("p");
  note.className = "notice";
  note.role = "alert";
  form.addEventListener("submit", (event) => {
    if (isToGo) return void (isToGo = false);
    event.preventDefault();
    if (!isOnItsWay) ask(event.submitter);
  });
  // Coming back with the browser's Back button may show the very page that was left.
  addEventListener("pageshow", allowAgain);

  async function ask(submitter) {
    isOnItsWay = true;
    note.remove();
    const refusal = await refusalOf(form.dataset);
    if (refusal.length > 0) return void refuse(refusal);
    const token = form.elements.namedItem("csrfmiddlewaretoken");
    if (token) token.value = tokenOf(form); // who has logged in anew meanwhile has another
    isToGo = true;
    form.requestSubmit(submitter);
    setTimeout(allowAgain, SLIP_MS);
  }

  function refuse(refusal) {
    note.replaceChildren(...refusal);
    form.append(note);
    allowAgain();
  }

  function allowAgain() {
    isOnItsWay = isToGo = false;
  }
}

/** Why to send the form now would only lose it, as texts and links, or none. */
async function refusalOf({ submitOnce, logIn }) {
  try {
    const { status } = await fetch(submitOnce, { headers: { Accept: "application/json" }, cache: "no-store" });
    return status === UNAUTHORIZED ? loggedOut(logIn) : [];
  } catch {
    return [NO_ANSWER];
  }
}

function loggedOut(address) {
  const link = document.createElement("a");
  Object.assign(link, { href: address, target: "_blank", rel: "noopener", textContent: "Log in" });
  return ["You are logged out. ", link, " in another window, come back to this page and try again: all of it stays here."];
}

for (const form of document.querySelectorAll("[data-submit-once]")) sendOnce(form);
