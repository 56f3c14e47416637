/** Whether the browser has a network. It may be wrong about having one, hardly ever about having none. */

/** The network of a `window`: `isOnline()`, and `online(signal)` for when it comes back. */
export function networkOf(window) {
  return {
    isOnline: () => window.navigator.onLine,

    /** Resolves when the network comes back the next time; rejects as soon as `signal` aborts. */
    online(signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const settled = new AbortController();
        const settle = (how) => () => {
          settled.abort();
          how(signal?.reason);
        };
        window.addEventListener("online", settle(resolve), { signal: settled.signal });
        signal?.addEventListener("abort", settle(reject), { signal: settled.signal });
        return undefined;
      });
    },
  };
}
