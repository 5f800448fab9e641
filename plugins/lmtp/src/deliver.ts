// One message to one LMTP server: RFC 2033. It is SMTP with one difference that is the reason to use it: after the message each
// accepted recipient has a reply of its own, in the order of RCPT. Never throws; who has no reply is tried again.
import type { AttemptStage, DeliveryBatch, DeliveryResult, Job } from '@mox/plugin-sdk'
import { CONTENT_FAULTS, DotStuffer, formatPath, type ServerReply } from '@mox/plugin-sdk/mail'
import { type Connection, LIMITS, LmtpError } from './connection.ts'

interface Refused {
  readonly code: number
  readonly enhanced: string
  readonly text: string
}

export class Delivery {
  readonly #batch: DeliveryBatch
  readonly #connection: Connection
  readonly #results = new Map<number, DeliveryResult>()
  #stage: AttemptStage = 'connect'

  constructor(batch: DeliveryBatch, connection: Connection) {
    this.#batch = batch
    this.#connection = connection
  }

  /** `hostname`: ours. One result per job. */
  async run(hostname: string): Promise<DeliveryResult[]> {
    try {
      await this.#connection.connected()
      await this.#session(hostname)
      this.#connection.close()
    } catch (error) {
      this.#connection.destroy()
      const known = error instanceof LmtpError
      const text = known ? error.message : `the message cannot be read: ${(error as Error).message}`
      this.#settle(this.#batch.jobs, { code: known ? 0 : 451, enhanced: known ? '' : '4.3.0', text })
    }
    return [...this.#results.values()]
  }

  async #session(hostname: string): Promise<void> {
    const { jobs } = this.#batch
    this.#stage = 'greeting'
    const greeting = await this.#connection.reply('the greeting')
    if (greeting.code !== 220) return this.#settle(jobs, greeting)
    this.#stage = 'ehlo'
    this.#connection.command(`LHLO ${hostname}`)
    const hello = await this.#connection.reply('LHLO')
    if (hello.code !== 250) return this.#settle(jobs, hello)
    const announced = new Map<string, string>()
    for (const line of hello.text.split('\n').slice(1)) {
      const [keyword = '', parameter = ''] = line.split(' ')
      announced.set(keyword.toUpperCase(), parameter)
    }
    this.#connection.parser.enhancedCodes = announced.has('ENHANCEDSTATUSCODES')
    this.#stage = 'mail'
    const misfit = this.#misfit(announced)
    if (misfit !== undefined) return this.#settle(jobs, misfit)
    await this.#transaction(announced)
  }

  /** What the message needs and the server has not. */
  #misfit(announced: ReadonlyMap<string, string>): Refused | undefined {
    const { size, smtputf8 } = this.#batch.message
    const limit = Number(announced.get('SIZE') ?? 0)
    if (limit > 0 && size > limit)
      return { code: 552, enhanced: '5.3.4', text: `the message has ${size} octets; the LMTP server takes ${limit}` }
    if (smtputf8 && !announced.has('SMTPUTF8'))
      return { code: 553, enhanced: '5.6.7', text: 'the message needs SMTPUTF8, which the LMTP server does not have' }
    return undefined
  }

  async #transaction(announced: ReadonlyMap<string, string>): Promise<void> {
    const { jobs, message } = this.#batch
    const parameters = [
      announced.has('SIZE') ? ` SIZE=${message.size}` : '',
      message.has8bit && announced.has('8BITMIME') ? ' BODY=8BITMIME' : '',
      message.smtputf8 ? ' SMTPUTF8' : '',
    ]
    // RFC 2033 §5: every LMTP server has PIPELINING.
    const lines = [`MAIL FROM:${formatPath(message.reversePath)}${parameters.join('')}`]
    for (const job of jobs) lines.push(`RCPT TO:${formatPath(job.recipient)}`)
    if (lines.some(line => /[\x00-\x1f\x7f]/.test(line)))
      return this.#settle(jobs, { code: 553, enhanced: '5.1.3', text: 'an address has a control character' })
    this.#connection.command(...lines)
    const mail = await this.#connection.reply('MAIL')
    const accepted: Job[] = []
    if (mail.code >= 300) this.#settle(jobs, mail)
    this.#stage = 'rcpt'
    for (const job of jobs) {
      const reply = await this.#connection.reply('RCPT')
      if (reply.code < 300) accepted.push(job)
      else this.#settle([job], reply)
    }
    if (mail.code >= 300 || accepted.length === 0) return
    this.#stage = 'data'
    this.#connection.command('DATA')
    const go = await this.#connection.reply('DATA')
    if (go.code !== 354) return this.#settle(accepted, go)
    await this.#content(accepted)
  }

  async #content(accepted: readonly Job[]): Promise<void> {
    const stuffer = new DotStuffer()
    for await (const chunk of this.#batch.open()) {
      const out = stuffer.push(chunk)
      if (stuffer.fault !== undefined) break
      await this.#connection.write(out)
    }
    const end = stuffer.end()
    if (end === undefined) {
      const fault = CONTENT_FAULTS[stuffer.fault ?? 'bare-newline']
      this.#connection.destroy()
      return this.#settle(accepted, { code: 554, enhanced: '5.6.0', text: `the message has ${fault}` })
    }
    this.#connection.expect(accepted.length)
    await this.#connection.write(end)
    this.#stage = 'end'
    // RFC 2033 §4.2: a reply for each, in the order of RCPT.
    for (const job of accepted) this.#settle([job], await this.#connection.reply('the message', LIMITS.end))
  }

  /** The first result of a job stays. A reply of a class that makes no sense here is no reason to give up for ever. */
  #settle(jobs: readonly Job[], { code, enhanced, text }: Refused | ServerReply): void {
    const delivered = this.#stage === 'end' && code >= 200 && code < 300
    const outcome = delivered ? 'delivered' : code >= 500 ? 'permanent' : 'temporary'
    for (const { id } of jobs)
      if (!this.#results.has(id)) this.#results.set(id, { id, outcome, code, enhanced, text, stage: this.#stage })
  }
}
