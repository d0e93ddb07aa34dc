// Which images may be fetched, as a page says it.
import { coded } from "./error.js";

/** The option `images`: origins, `"self"` for the page's own, `"*"` for every one. The core judges each. */
export function listed(images) {
  if (images === undefined) {
    return undefined;
  }
  if (!Array.isArray(images)) {
    throw coded("bad_images", 'images is a list of origins, of "self" and of "*"');
  }
  return images.map(String);
}

/** An origin as `URL.origin` writes it. */
export function origin(value) {
  if (value === undefined) {
    return undefined;
  }
  let url;
  try {
    url = new URL(value);
  } catch (cause) {
    throw coded("bad_origin", `not an origin: ${value}`, cause);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw coded("bad_origin", `images come from http or https, not from ${url.protocol}`);
  }
  return url.origin;
}
