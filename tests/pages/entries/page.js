// A page that imports the entries of the package when the test says so, in whatever order.

const complaints = [];
globalThis.complaints = complaints;
addEventListener("error", (event) => complaints.push(event.message));
addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => {
  complaints.push(`${event.violatedDirective} ${event.blockedURI}`);
});

globalThis.entry = (name) => import(`./riacho/${name}.js`);

/** From now on no wasm is fetched before so many have been asked for: who waits for one before the next waits forever. */
globalThis.together = (count) => {
  const { fetch } = globalThis;
  let open;
  const all = new Promise((resolve) => (open = resolve));
  globalThis.fetch = async (url, ...rest) => {
    if (String(url).endsWith(".wasm") && --count === 0) {
      open();
    }
    await all;
    return fetch(url, ...rest);
  };
};

globalThis.ready = true;
