/**
 * Waiting for conditions instead of durations. Must not know what is waited for.
 */

/** How long a condition may take before the test fails, unless a test says otherwise. */
const PATIENCE_MS = 20_000

/**
 * Resolves with the first truthy value of `condition`; fails with `what` when none comes.
 *
 * @template T
 * @param {() => T | Promise<T>} condition
 * @param {string | (() => string)} what
 * @returns {Promise<T>}
 */
export async function until (condition, what, patience = PATIENCE_MS) {
  const end = performance.now() + patience
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > end) {
      throw new Error(`not within ${patience} ms: ${typeof what === 'string' ? what : what()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The same, looked at only when `doc` changes. @param {import('yjs').Doc} doc */
export async function untilUpdate (doc, condition, what, patience = PATIENCE_MS) {
  if (condition()) return
  await new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(alarm)
      doc.off('update', look)
      settle(value)
    }
    const alarm = setTimeout(() => end(reject, new Error(`not within ${patience} ms: ${what}`)), patience)
    const look = () => { if (condition()) end(resolve) }
    doc.on('update', look)
  })
}
