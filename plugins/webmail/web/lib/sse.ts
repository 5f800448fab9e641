// Reads text/event-stream: https://html.spec.whatwg.org/multipage/server-sent-events.html. The server ends lines with LF.

export interface ServerEvent {
  readonly name: string
  /** '' without one. */
  readonly id: string
  readonly data: string
}

/** Characters of one event; more is a broken server. */
export const EVENT_LENGTH = 32 * 1024 * 1024

/** Events of a response as they come. Ends with the response and throws as reading it does. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      // Only what is new can end an event, but for a line break that was cut in two.
      let from = Math.max(0, rest.length - 1)
      rest += decoder.decode(value, { stream: true })
      for (let end = rest.indexOf('\n\n', from); end >= 0; end = rest.indexOf('\n\n', from)) {
        const event = parseEvent(rest.slice(0, end))
        rest = rest.slice(end + 2)
        from = 0
        if (event !== undefined) yield event
      }
      if (rest.length > EVENT_LENGTH) throw new Error('an event of the server is too long')
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
