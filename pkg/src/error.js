// Errors with a stable `code`: programs compare it, people read the message.

/**
 * @param {string} code
 * @param {string} message
 * @param {unknown} [cause]
 */
export function coded(code, message, cause) {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  return Object.assign(error, { code });
}
