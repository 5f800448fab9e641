// Reads text/event-stream: https://html.spec.whatwg.org/multipage/server-sent-events.html. The server ends lines with LF.

export interface ServerEvent {
  readonly name: string
  /** '' without one. */
  readonly id: string
  readonly data: string
}

/** Characters of one event; more is a broken server. */
export const EVENT_LENGTH = 32 * 1024 * 1024

/** Events of a response as they come. Ends with the response and throws as reading it does. `heard` is called for whatever came. */
export async function* readEvents(body: ReadableStream<Uint8Array>, heard?: () => void): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  // What came of the event that is not whole yet. Kept in parts, as joining them for each would take long for a large one.
  let parts: string[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard?.()
      let rest = decoder.decode(value, { stream: true })
      // A line break may have been cut off from the one before.
      if (rest.startsWith('\n') && parts.at(-1)?.endsWith('\n') === true) {
        const event = parseEvent(parts.join(''))
        parts = []
        length = 0
        rest = rest.slice(1)
        if (event !== undefined) yield event
      }
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const event = parseEvent(parts.join('') + rest.slice(0, end))
        parts = []
        length = 0
        rest = rest.slice(end + 2)
        if (event !== undefined) yield event
      }
      if (rest === '') continue
      parts.push(rest)
      length += rest.length
      if (length > EVENT_LENGTH) throw new Error('an event of the server is too long')
    }
  } finally {
    // Whoever stops reading ends the request.
    await reader.cancel().catch(() => {})
  }
}

/** Undefined for comments. */
function parseEvent(text: string): ServerEvent | undefined {
  let name = 'message'
  let id = ''
  const data: string[] = []
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const value = line.slice(colon + 1).replace(/^ /, '')
    const field = line.slice(0, colon)
    if (field === 'event') name = value
    else if (field === 'id') id = value
    else if (field === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { name, id, data: data.join('\n') }
}
