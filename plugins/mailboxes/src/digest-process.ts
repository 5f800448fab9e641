// Runs in the process that reads messages for lists and search.
import { answerRequests } from '@mox/plugin-sdk/io'
import { messageDigest } from '@mox/plugin-sdk/mail'

answerRequests((bytes: Uint8Array) => messageDigest(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
