// Errors as a page has them, and what any thrown value says.

export const coded = (code, message) => Object.assign(new Error(message), { code });

/** Whether or not it is an `Error`. Some objects throw when they are asked. */
export function wordsOf(thrown) {
  try {
    return typeof thrown?.message === "string" ? thrown.message : String(thrown);
  } catch {
    return "";
  }
}
