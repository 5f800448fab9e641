// A webhook receiver in a process of its own, as fast as Node's HTTP server is: answers 200, counts calls by path, and notes calls
// that came twice or out of order. Tells its port over IPC, and its counts whenever it is asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceiverCounts {
  readonly calls: number
  /** Calls with an id that was there before or lower than the one before it, on the same path. */
  readonly wrong: number
}

if (process.send !== undefined) {
  const last = new Map<string, number>()
  let calls = 0
  let wrong = 0
  const server = createServer((request, response) => {
    const id = Number(request.headers['x-mox-webhook-id'])
    const path = request.url ?? ''
    if (id <= (last.get(path) ?? 0)) wrong++
    last.set(path, id)
    calls++
    request.resume()
    request.on('end', () => response.end())
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
  process.on('message', () => process.send?.({ calls, wrong } satisfies ReceiverCounts))
  process.on('disconnect', () => process.exit())
}
