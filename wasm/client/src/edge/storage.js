// `sessionStorage`: a place that may be full, forbidden or absent. None of that is an error of the page.

export function read(key) {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** False when it could not be kept. */
export function write(key, text) {
  try {
    sessionStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
