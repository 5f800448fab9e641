// The streams of several accounts over one connection, as the page takes it apart. The server is a fetch that the test answers.
import { deepStrictEqual, rejects, strictEqual } from 'node:assert'
import { afterEach, beforeEach, test, vi } from 'vitest'
import { SharedStreams } from '../web/inboxes/shared-streams.ts'
import { readEvents } from '../web/lib/sse.ts'

interface Request {
  readonly path: string
  /** Tokens of the accounts. */
  readonly asked: readonly string[]
  readonly signal: AbortSignal
  answer(response: Response): void
  fail(): void
}

let requests: Request[]
beforeEach(() => {
  requests = []
  const nothing = { getItem: () => null }
  vi.stubGlobal('localStorage', nothing)
  vi.stubGlobal('sessionStorage', nothing)
  vi.stubGlobal('fetch', (path: string, { body, signal }: RequestInit) => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    const asked = JSON.parse(String(body)).map(({ csrf }: { csrf: string }) => csrf)
    if (signal?.aborted === true) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason))
    requests.push({ path, asked, signal: signal!, answer: resolve, fail: () => reject(new TypeError('no network')) })
    return promise
  })
})
afterEach(() => void vi.unstubAllGlobals())

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

interface Stream {
  readonly response: Response
  send(text: string): void
  end(): void
  cut(): void
}

function stream(): Stream {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(c) {
      controller = c
    },
  })
  return {
    response: new Response(body),
    send: text => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    cut: () => controller.error(new TypeError('cut')),
  }
}

/** Reads a part; `heard` counts what came, comments included. */
function read(response: Response): { readonly events: string[]; heard: number; ended: string } {
  const state = { events: [] as string[], heard: 0, ended: '' }
  const follow = async (): Promise<void> => {
    try {
      const heard = (): void => void state.heard++
      for await (const { name, id, data } of readEvents(response.body!, heard))
        state.events.push(`${name} ${id} ${data}`)
      state.ended = 'end'
    } catch (error) {
      state.ended = (error as Error).message
    }
  }
  void follow()
  return state
}

test('what is asked for at once is one request, and each gets what is its own', async () => {
  const aborts = [new AbortController(), new AbortController()]
  const opened: Promise<Response>[] = []
  const streams: SharedStreams = new SharedStreams(() => opened.push(streams.open('bob', {}, aborts[1]!.signal)))
  opened.push(streams.open('alice', {}, aborts[0]!.signal))
  await turn()
  deepStrictEqual(
    requests.map(({ path, asked }) => ({ path, asked })),
    [{ path: 'events/accounts', asked: ['alice', 'bob'] }],
  )
  const server = stream()
  requests[0]!.answer(server.response)
  const [alice, bob] = (await Promise.all(opened)).map(read)
  server.send(
    'event: 1/hello\nid: 7\ndata: {"a":1}\n\nevent: 0/hello\nid: 3\ndata: {}\n\nevent: 9/x\nid: 1\ndata: {}\n\n',
  )
  await turn()
  deepStrictEqual([alice?.events, bob?.events], [['hello 3 {}'], ['hello 7 {"a":1}']])
  const before = alice?.heard ?? 0
  server.send(':\n\n')
  await turn()
  strictEqual((alice?.heard ?? 0) > before, true)
  // One goes, the other stays.
  aborts[0]!.abort(new Error('closed'))
  server.send('event: 0/changes\nid: 4\ndata: {}\n\nevent: 1/changes\nid: 8\ndata: {}\n\n')
  await turn()
  deepStrictEqual([alice?.events.length, alice?.ended, bob?.events.at(-1)], [1, 'closed', 'changes 8 {}'])
  strictEqual(requests[0]!.signal.aborted, false)
  aborts[1]!.abort()
  strictEqual(requests[0]!.signal.aborted, true)
})

test('the end of the connection is the end of each', async () => {
  for (const how of ['end', 'cut'] as const) {
    const never = new AbortController().signal
    const streams = new SharedStreams(() => undefined)
    const opened = [streams.open('alice', {}, never), streams.open('bob', {}, never)]
    await turn()
    const server = stream()
    requests.at(-1)?.answer(server.response)
    const parts = (await Promise.all(opened)).map(read)
    server[how]()
    await turn()
    deepStrictEqual(
      parts.map(({ ended }) => ended),
      [how, how],
    )
  }
})

test('without a stream each is told why', async () => {
  const never = new AbortController().signal
  const streams = new SharedStreams(() => undefined)
  const refused = [streams.open('alice', {}, never), streams.open('bob', {}, never)]
  await turn()
  requests[0]?.answer(Response.json({ error: 'no' }, { status: 401 }))
  for (const response of await Promise.all(refused))
    deepStrictEqual([response.status, await response.json()], [401, { error: 'no' }])
  const unreachable = ['alice', 'bob'].map(csrf => rejects(streams.open(csrf, {}, never), /cannot be reached/))
  await turn()
  requests[1]?.fail()
  await Promise.all(unreachable)
  // Gone before anything was sent.
  const gone = rejects(streams.open('alice', {}, AbortSignal.abort()), /aborted/)
  await turn()
  await gone
})
