// Runs in the process that reads messages.
import { answerRequests } from '@mox/plugin-sdk/io'
import { type ReadRequest, read } from './read.ts'

answerRequests(({ bytes, request }: { readonly bytes: Uint8Array; readonly request: ReadRequest }) =>
  read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), request),
)
