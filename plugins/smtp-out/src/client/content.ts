// The content of a message, looked at before any of it is promised: what must not be sent is known before MAIL, so that no
// transaction is begun that cannot be ended. Small messages are held, large ones read once more for each transaction.
import { CONTENT_FAULTS, DotStuffer } from '@mox/plugin-sdk/mail'
import { Failure, local } from './failure.ts'
import { HELD_OCTETS } from './limits.ts'

export interface Content {
  /** As it goes on the wire, with the final dot. */
  chunks(): AsyncIterable<Buffer> | readonly Buffer[]
}

/** Throws a Failure of kind `local`. */
export async function prepare(open: () => AsyncIterable<Buffer>): Promise<Content> {
  const held: Buffer[] = []
  let size = 0
  for await (const chunk of stuffed(open)) {
    size += chunk.length
    if (size > HELD_OCTETS) held.length = 0
    else held.push(chunk)
  }
  if (size > HELD_OCTETS) return { chunks: () => stuffed(open) }
  const whole = [held.length === 1 ? held[0]! : Buffer.concat(held)]
  return { chunks: () => whole }
}

async function* stuffed(open: () => AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stuffer = new DotStuffer()
  try {
    for await (const chunk of open()) {
      const out = stuffer.push(chunk)
      if (stuffer.fault !== undefined) break
      yield out
    }
  } catch (error) {
    throw new Failure('local', 'the message cannot be read', { code: 451, enhanced: '4.3.0', cause: error })
  }
  const end = stuffer.end()
  if (end === undefined) throw local(554, '5.6.0', `the message has ${CONTENT_FAULTS[stuffer.fault ?? 'bare-newline']}`)
  yield end
}
