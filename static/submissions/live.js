/** The page of a submission or an entry: fetches its changing part again and again until all is settled. */

import { morphChildren } from "./morph.js";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
const GROWTH = 1.25;

const LOGGED_OUT = "You are logged out, so this page no longer changes. Reload it and log in.";
const OFFLINE = "The server does not answer right now. This page keeps trying.";

/** Fetches the part: its HTML, `null` where there was no answer for now, `undefined` where there will be none. */
async function fetchPart(url) {
  try {
    const answer = await fetch(url, { redirect: "manual", headers: { Accept: "text/html" } });
    if (answer.ok) return await answer.text();
    return answer.status >= 500 || answer.status === 429 ? null : undefined;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // which is how fetch says that there is no network
    return null;
  }
}

/** Waits, and then for the page to be looked at: one in the background asks for nothing. */
async function wait(milliseconds) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }
}

class LivePart {
  #root;
  #trouble = document.querySelector("[data-live-trouble]");
  #status = document.querySelector("[data-live-status]");

  constructor(root) {
    this.#root = root;
  }

  get #isVerifying() {
    return this.#root.querySelector("[data-live-state]").dataset.liveState === "VERIFYING";
  }

  /** Looks until all is settled; the pauses grow while nothing changes. */
  async watch() {
    let pause = FIRST_PAUSE_MS;
    while (this.#isVerifying) {
      await wait(pause);
      const html = await fetchPart(this.#root.dataset.live);
      this.#tell(html === null ? OFFLINE : html === undefined ? LOGGED_OUT : "");
      if (html === undefined) return;
      const isChanged = html !== null && this.#show(html);
      pause = isChanged ? FIRST_PAUSE_MS : Math.min(pause * GROWTH, LONGEST_PAUSE_MS);
    }
  }

  #show(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const isChanged = morphChildren(this.#root, template.content);
    if (!this.#isVerifying) this.#announce();
    return isChanged;
  }

  /** Says once, and politely, how it ended; the title says it to those who look at another tab. */
  #announce() {
    const head = this.#root.querySelector("[data-live-state]");
    document.title = document.title.replace(/^[^:]+/, head.querySelector(".status").textContent);
    this.#status.textContent = head.querySelector(".next-step strong").textContent;
  }

  #tell(sentence) {
    if (this.#trouble.textContent !== sentence) this.#trouble.textContent = sentence;
    this.#trouble.hidden = !sentence;
  }
}

const root = document.querySelector("[data-live]");
if (root) new LivePart(root).watch();
