// Runs in the digest thread: reads one message after the other for lists and search. Each message is one request.
import { parentPort } from 'node:worker_threads'
import { messageDigest } from '@mox/plugin-sdk/mail'

parentPort?.on('message', (bytes: Uint8Array) => {
  parentPort?.postMessage(messageDigest(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
})
