// Waits for something to become true on the server: looks once, and again whenever the server says that something changed.
// Nothing is asked in between. Ends with an error when the time is over, or when the connection is lost.

/** Milliseconds to wait unless told otherwise. */
export const TIMEOUT_MS = 5_000

export interface WaitOptions {
  /** Milliseconds of real time; default 5,000. */
  readonly timeout?: number
}

/** `look` returns undefined as long as it is not there; `missing` says what was, for the error. */
export async function waitUntil<T>(
  url: URL,
  { timeout = TIMEOUT_MS }: WaitOptions,
  look: () => Promise<T | undefined>,
  missing: () => Promise<string>,
): Promise<T> {
  const abort = new AbortController()
  // Real time of the test's process: the server's clock may be moved, a test may not hang.
  const timer = setTimeout(() => abort.abort(), timeout)
  try {
    const response = await fetch(url, { signal: abort.signal })
    if (!response.ok || response.body === null)
      throw new Error(`${url}: ${response.status} ${(await response.text()).trim()}`)
    // The first chunk says that the stream is open: what changes from now on is told.
    for await (const _ of response.body) {
      const found = await look()
      if (found !== undefined) return found
    }
    throw new Error('the server closed the connection while a test was waiting')
  } catch (error) {
    if (!abort.signal.aborted) throw error
    throw new Error(`not there after ${timeout} ms: ${await missing()}`, { cause: error })
  } finally {
    clearTimeout(timer)
    abort.abort()
  }
}
