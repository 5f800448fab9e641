// Clients that submit without pause over several connections and remember what each message was told. A message without an
// answer is in doubt: it may be stored or not, but at most once.
import { createHash } from 'node:crypto'
import { LOGIN } from '../kit/config.ts'
import { type SmtpSession, smtpSession } from '../kit/smtp.ts'
import type { Seeded } from './random.ts'

/**
 * What a message was told.
 * - `doubt`: sent, and the connection ended before an answer.
 * - `acknowledged`: 250.
 * - `refused`: any other answer.
 */
export type Fate = 'doubt' | 'acknowledged' | 'refused'

export interface Sent {
  readonly id: string
  readonly recipients: readonly string[]
  /** SHA-256 of the content, hexadecimal. */
  readonly hash: string
  readonly size: number
  fate: Fate
}

export const RECIPIENTS: readonly string[] = ['alice@example.org', 'bob@example.org']

export class Clients {
  readonly sent: Sent[] = []
  private readonly random: Seeded
  private readonly sessions = new Set<SmtpSession>()
  private number = 0

  constructor(random: Seeded) {
    this.random = random
  }

  /** Submits over `connections` connections until the server is gone. */
  async run(port: number, connections: number): Promise<void> {
    await Promise.all(Array.from({ length: connections }, (_, i) => this.one(port, i % 2 === 0)))
  }

  private async one(port: number, pipelined: boolean): Promise<void> {
    let session: SmtpSession | undefined
    try {
      session = await smtpSession({ port, timeout: 20_000 })
      this.sessions.add(session)
      await session.ehlo()
      await session.login(LOGIN.serve)
      for (;;) await this.message(session, pipelined)
    } catch {
      // The server was killed: what had no answer stays in doubt.
    } finally {
      session?.close()
      if (session !== undefined) this.sessions.delete(session)
    }
  }

  private async message(session: SmtpSession, pipelined: boolean): Promise<void> {
    const id = `fault-${++this.number}`
    const recipients = this.random.below(4) === 0 ? RECIPIENTS : [RECIPIENTS[this.random.below(2)] ?? '']
    const content = makeContent(id, this.size())
    const sent: Sent = {
      id,
      recipients,
      hash: createHash('sha256').update(content).digest('hex'),
      size: content.length,
      fate: 'doubt',
    }
    this.sent.push(sent)
    const transaction = { from: 'alice@example.org', to: recipients, content }
    const reply = pipelined ? (await session.sendPipelined(transaction)).at(-1) : await session.send(transaction)
    sent.fate = reply?.code === 250 ? 'acknowledged' : 'refused'
  }

  /** Mostly small; some above the inline limit of the content store, which go to files. */
  private size(): number {
    const kind = this.random.below(20)
    if (kind === 0) return 300_000 + this.random.below(400_000)
    return kind < 5 ? this.random.below(100_000) : this.random.below(4000)
  }
}

function makeContent(id: string, size: number): Buffer {
  const head = `From: alice@example.org\r\nTo: undisclosed\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${id}@fault.test>\r\nSubject: ${id}\r\n\r\n`
  const line = `${id} ${'abcdefghij'.repeat(6)}\r\n`
  return Buffer.from(head + line.repeat(Math.ceil(size / line.length)))
}
