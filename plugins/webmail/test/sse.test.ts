// Events are read the same however the bytes are cut.
import { deepStrictEqual } from 'node:assert'
import { test } from 'vitest'
import { readEvents, type ServerEvent } from '../web/lib/sse.ts'

const TEXT =
  ':\n\nevent: page\nid: 7\ndata: {"a":"ä\u{1f600}"}\n\n\n\ndata: x\ndata:y\n\nretry: 5\n\nevent: last\ndata: z\n\nevent: cut\n'
const EVENTS: readonly ServerEvent[] = [
  { name: 'page', id: '7', data: '{"a":"ä\u{1f600}"}' },
  { name: 'message', id: '', data: 'x\ny' },
  { name: 'last', id: '', data: 'z' },
]

test('events in pieces of any size', async () => {
  const bytes = new TextEncoder().encode(TEXT)
  for (let size = 1; size <= bytes.length; size++) {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    const found: ServerEvent[] = []
    for await (const event of readEvents(streamOf(pieces))) found.push(event)
    deepStrictEqual(found, EVENTS)
  }
})

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: controller => {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
}
