// Images that wait: the page shows their text until somebody says that they may be fetched.
// Until then the address is in no attribute: nothing can fetch what the DOM does not hold.

/** The attribute under which the engine names the address of an image that waits. It never gets to the DOM. */
export const HELD = "data-riacho-src";

/** Element in the place of an image → its address. */
const held = new WeakMap();

/** Element → what the page has allowed in it: keys of `grantKey`. */
const grants = new WeakMap();

/** Element → what the buttons in it say: `{host}` stands for where the request would go. */
const words = new WeakMap();
const ENGLISH = "Load image from {host}";

/** An image that may not be fetched yet stands here. The element is in its place already. */
export function hold(element, address) {
  release(element);
  const url = resolved(element, address);
  if (url === null) {
    return;
  }
  held.set(element, url);
  if (isGranted(element, url)) {
    show(element, url, "lazy");
  } else {
    offer(element, url);
  }
}

/** It is no image any more. */
export function release(element) {
  held.delete(element);
  element.querySelector(":scope > [data-riacho-ui]")?.remove();
}

/**
 * Allows the images in `root`, those that are there and those to come: of one message, of one origin, or all.
 * @param {Element} root
 * @param {string | undefined} message
 * @param {string | undefined} origin as `URL.origin` writes it
 */
function allow(root, message, origin) {
  const keys = grants.get(root) ?? new Set();
  grants.set(root, keys.add(grantKey(message, origin)));
  for (const element of root.querySelectorAll(".riacho-image")) {
    const url = held.get(element);
    if (url !== undefined && isGranted(element, url) && element.querySelector(":scope > img") === null) {
      show(element, url, "lazy");
    }
  }
}

/** What the buttons in `root` say from now on. */
function say(root, sentence) {
  words.set(root, sentence ?? ENGLISH);
  for (const button of root.querySelectorAll(".riacho-image-load")) {
    const url = held.get(button.parentNode);
    if (url !== undefined) {
      button.textContent = said(button.parentNode, url);
    }
  }
}

function said(element, { host }) {
  let root = element;
  while (root !== null && !words.has(root)) {
    root = root.parentElement;
  }
  return (words.get(root) ?? ENGLISH).replace("{host}", () => host);
}

function grantKey(message, origin) {
  return JSON.stringify([message ?? null, origin ?? null]);
}

function isGranted(element, url) {
  const message = element.closest("[data-message-id]")?.dataset.messageId;
  const wanted = [grantKey(), grantKey(message), grantKey(undefined, url.origin), grantKey(message, url.origin)];
  for (let root = element; root !== null; root = root.parentElement) {
    const keys = grants.get(root);
    if (keys !== undefined && wanted.some((key) => keys.has(key))) {
      return true;
    }
  }
  return false;
}

/** The policy has let the address through; only http and https are fetched, whatever the page's base is. */
function resolved(element, address) {
  try {
    const url = new URL(address, element.baseURI);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** A button beside the text, which says where the request would go. */
function offer(element, url) {
  const button = element.ownerDocument.createElement("button");
  button.type = "button";
  button.className = "riacho-image-load";
  button.setAttribute("data-riacho-ui", "");
  button.textContent = said(element, url);
  button.addEventListener("click", (event) => {
    // It may stand in a link, which is not meant.
    event.preventDefault();
    event.stopPropagation();
    if (held.get(element) === url) {
      const focused = button.matches(":focus");
      const image = show(element, url, "eager");
      if (focused) {
        image.tabIndex = -1;
        image.focus();
      }
    }
  });
  element.append(button);
  return button;
}

/** The text stays, for who can't see the image, and for when it does not come. */
function show(element, url, loading) {
  element.querySelector(":scope > [data-riacho-ui]")?.remove();
  const image = element.ownerDocument.createElement("img");
  image.setAttribute("data-riacho-ui", "");
  image.alt = "";
  image.loading = loading;
  image.decoding = "async";
  image.referrerPolicy = "no-referrer";
  image.addEventListener("error", () => {
    if (image.parentNode === element) {
      const focused = image.matches(":focus");
      image.remove();
      const button = offer(element, url);
      if (focused) {
        button.focus();
      }
    }
  });
  image.src = url.href;
  element.append(image);
  return image;
}

/** What the page says about them. (A function that is imported by itself would bring all of this script as one object.) */
export const images = { allow, say };
