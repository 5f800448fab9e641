// onReceive.head: what handlers make of the header section, once the message may come in and before it is stored. Fields put in
// front of it go where our own are and leave the content alone; any other change makes new content, so that what is stored is
// what is sent, whoever reads it.
import { isAscii } from 'node:buffer'
import type { ContentWriter, SmtpReply } from '@mox/plugin-sdk'
import { type Head, IngressReader, parseHeader } from '@mox/plugin-sdk/mail'
import type { StageDeps } from '../stages.ts'
import type { Body } from './accept.ts'
import type { Transaction } from './transaction.ts'

/** A message as it is to be stored. */
export interface Shaped {
  readonly body: Body
  readonly head: Head
  /** Of new content: to be aborted when the message was stored or refused. */
  readonly writer?: ContentWriter
}

/** Or the reply of a refusal. */
export async function shapeHead(
  deps: StageDeps,
  transaction: Transaction,
  body: Body,
  head: Head,
): Promise<Shaped | SmtpReply> {
  const { headBytes, headComplete, size } = body.ingress
  // A header section that is cut cannot be changed as a whole.
  if (!deps.hooks.has('onReceive.head') || !(headComplete || headBytes.length === size)) return { body, head }
  const input = { draft: { head: headBytes }, session: transaction.info, envelope: transaction.envelope() }
  const { draft, verdict } = await deps.hooks.shape('onReceive.head', input, transaction.scope)
  if (verdict.kind === 'defer' || verdict.kind === 'reject') return verdict.reply
  const { head: bytes } = draft
  if (bytes.equals(headBytes)) return { body, head }
  const front = bytes.subarray(0, Math.max(0, bytes.length - headBytes.length))
  const changed = bytes.subarray(front.length).equals(headBytes)
    ? { body: inFront(body, front, bytes) }
    : await rewrite(deps, body, bytes)
  return { ...changed, head: parseHeader(bytes) }
}

/** The bytes come from the database or a file as they were, with `front` before them. */
function inFront(body: Body, front: Buffer, headBytes: Buffer): Body {
  const { ingress, earlier } = body
  const eightBit = !isAscii(front)
  return {
    ...body,
    earlier: earlier === undefined ? front : Buffer.concat([front, earlier]),
    ingress: {
      ...ingress,
      size: ingress.size + front.length,
      has8bit: ingress.has8bit || eightBit,
      headHas8bit: ingress.headHas8bit || eightBit,
      headBytes,
    },
  }
}

/** New content: `head`, then what followed the header section, measured as if it had come in like that. */
async function rewrite(
  { storage: { content } }: StageDeps,
  body: Body,
  head: Buffer,
): Promise<{ body: Body; writer: ContentWriter }> {
  const reader = new IngressReader({ maxSize: Number.POSITIVE_INFINITY })
  const writer = content.writer()
  const take = async (chunk: Buffer): Promise<void> => {
    reader.push(chunk)
    await writer.write(chunk)
  }
  try {
    await take(head)
    let skip = body.ingress.headBytes.length
    for await (const chunk of body.open()) {
      const rest = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - rest.length
      if (rest.length > 0) await take(rest)
    }
    const ingress = reader.finish()
    // The body must begin where it began, and the limits hold for what we made too.
    if (ingress.violations.length > 0 || !ingress.headBytes.equals(head))
      throw new Error('onReceive.head left a header section that is none')
    const hash = Buffer.from(ingress.hash, 'hex')
    const staged = await writer.finish(hash)
    const { filed } = body
    return {
      writer,
      body: {
        ...{ ingress, earlier: undefined, open: () => content.openStaged(staged), hash: async () => hash },
        keep: () => content.keep(staged),
        ...(filed === undefined ? {} : { filed }),
      },
    }
  } catch (error) {
    await writer.abort()
    throw error
  }
}
