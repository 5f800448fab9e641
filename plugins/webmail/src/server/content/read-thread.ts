// Runs in the thread that reads messages: says when it is ready, then answers one request after the other.
import { parentPort } from 'node:worker_threads'
import { type ReadRequest, read } from './read.ts'

parentPort?.postMessage('ready')
parentPort?.on('message', async ({ bytes, request }: { bytes: Uint8Array; request: ReadRequest }) => {
  parentPort?.postMessage(await read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), request))
})
