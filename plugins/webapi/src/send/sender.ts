// Sending: the checks in the order of the wire format, composing, submission, then what must not undo it: the record, the
// copy in Sent. Everything before submit() throws an ApiError and queues nothing; after it nothing is an error any more.
import {
  type AccountInfo,
  type Clock,
  type Directory,
  type Log,
  type Mailboxes,
  MailError,
  type Random,
  type Storage,
  type Submission,
  type SubmitMessage,
  type Suppressions,
  type System,
} from '@mox/plugin-sdk'
import { type ComposeDraft, ComposeError, composeMessage, headerSection, type Mailbox } from '@mox/plugin-sdk/compose'
import { formatAddress, type Path, pathToString } from '@mox/plugin-sdk/mail'
import { MAX_FUTURE_RELEASE, MAX_HEADER_VALUE, MAX_RECIPIENTS } from '../limits.ts'
import type { Quota } from '../quota.ts'
import type { Records } from '../records.ts'
import type { Unsubscribe } from '../unsubscribe.ts'
import { type Caller, senderOf } from './author.ts'
import { ApiError } from './error.ts'
import * as check from './fields.ts'
import type { Request } from './message.ts'
import { refusal } from './refusal.ts'
import { saveSent } from './sent-copy.ts'

export interface SendServices {
  readonly submission: Submission
  readonly directory: Directory
  readonly storage: Storage
  readonly mailboxes: Mailboxes | undefined
  readonly suppressions: Suppressions | undefined
  readonly clock: Clock
  readonly random: Random
  readonly system: System
  readonly log: Log
  readonly records: Records
  readonly quota: Quota
  readonly unsubscribe: Unsubscribe
}

/** One recipient of a message that was queued. */
export interface SentRecipient {
  /** As given. */
  readonly address: string
  readonly path: Path
  /** 0 in test mode. */
  readonly queueId: number
  readonly fromId: string
  /** On a suppression list: the delivery will not be tried. */
  readonly suppressed: boolean
}

export interface Sent {
  /** In the message repository; 0 in test mode. */
  readonly id: number
  /** With brackets. */
  readonly messageId: string
  readonly subject: string
  readonly recipients: readonly SentRecipient[]
  /** What did not work after the message was queued. */
  readonly warnings: readonly string[]
}

/** What a program calls itself when the caller does not say. */
export const USER_AGENT = 'mox webapi'

/** "<random@hostname>". */
export function newMessageId({ random, system }: Pick<SendServices, 'random' | 'system'>): string {
  return `<${random.id()}@${system.hostname}>`
}

type Fields = Request['headers']

/** A checked and composed message. */
interface Prepared {
  readonly account: AccountInfo
  readonly draft: ComposeDraft
  readonly bcc: readonly Mailbox[]
  readonly stream: string
  /** One per different address, by its text. */
  readonly paths: ReadonlyMap<string, Path>
  readonly suppressed: ReadonlySet<string>
  readonly message: SubmitMessage & { readonly content: Buffer }
}

export class Sender {
  readonly #services: SendServices
  readonly #maxSize: number

  /** `maxSize`: octets of a composed message. */
  constructor(services: SendServices, maxSize: number) {
    this.#services = services
    this.#maxSize = maxSize
  }

  /** `messageId`: of a message that names none. */
  async send(caller: Caller, request: Request, messageId: string = newMessageId(this.#services)): Promise<Sent> {
    if (request.text === '' && request.html === '')
      throw new ApiError('missingBody', 'give the message a text, an HTML body, or both')
    const account = await this.#account(caller)
    if (request.from.length > 1)
      throw new ApiError('multipleFrom', 'a message has one From address', { path: ['from', 1] })
    const given = request.from.map((entry, i) => check.mailbox(entry, ['from', i]))
    const to = check.mailboxes(request.to, 'to')
    const cc = check.mailboxes(request.cc, 'cc')
    const bcc = check.mailboxes(request.bcc, 'bcc')
    const from = await senderOf(this.#services.directory, account, caller, given[0])
    const all = [...to, ...cc, ...bcc]
    if (all.length === 0) throw new ApiError('noRecipients', 'name a recipient in to, cc or bcc')
    if (all.length > MAX_RECIPIENTS)
      throw new ApiError('user', `at most ${MAX_RECIPIENTS} recipients; send another message to the others`)
    const stream = check.stream(request.stream)
    const links = request.unsubscribe ? this.#links(account.name, stream, request, all) : () => []
    const paths = new Map(all.map(({ path }) => [formatAddress(path), path]))
    const giveBack = caller.test ? undefined : await this.#services.quota.reserve(account.name, stream, paths.size)
    let prepared: Prepared
    let submitted: Awaited<ReturnType<Submission['submit']>>
    try {
      const draft = this.#draft(request, { from, to, cc }, all, messageId, links)
      const message = await this.#compose(caller, account, request, draft, paths, stream)
      const suppressed = await this.#suppressed(account.name, stream, paths)
      prepared = { account, draft, bcc, stream, paths, suppressed, message }
      if (caller.test) return sent(prepared, request, all, 0, new Map(), [])
      submitted = await this.#services.submission.submit(message)
    } catch (error) {
      giveBack?.()
      if (error instanceof MailError) throw refusal(error)
      throw error instanceof ComposeError ? new ApiError('user', error.message, { cause: error }) : error
    }
    const queued = new Map(
      Array.from(paths.keys(), (key, i) => [
        key,
        { queueId: submitted.queueIds[i] ?? 0, fromId: submitted.fromIds[i] ?? '' },
      ]),
    )
    const warnings: string[] = []
    this.#record(prepared, submitted.messageId)
    if (request.saveSent) await saveSent(this.#services, prepared, submitted.messageId, warnings)
    return sent(prepared, request, all, submitted.messageId, queued, warnings)
  }

  async #account(caller: Caller): Promise<AccountInfo> {
    const account = await this.#services.directory.account(caller.account)
    if (account === undefined) throw new ApiError('server', 'the account is not there any more')
    return account
  }

  /** Fields for the only recipient: all would see the link. */
  #links(account: string, stream: string, request: Request, all: readonly Mailbox[]): (messageId: string) => Fields {
    const { suppressions, unsubscribe } = this.#services
    if (suppressions === undefined)
      throw new ApiError('error', 'unsubscribe needs suppression lists; the operator can add the suppression plugin')
    if (request.headers.some(([name]) => /^list-unsubscribe(?:-post)?$/i.test(name)))
      throw new ApiError('user', 'unsubscribe writes List-Unsubscribe itself', { path: ['headers'] })
    const [only, ...more] = all
    if (only === undefined || more.length > 0)
      throw new ApiError('user', 'unsubscribe needs exactly one recipient; send a message to each', {
        path: ['unsubscribe'],
      })
    const address = pathToString(only.path)
    return messageId => unsubscribe.headers({ account, stream, address, messageId })
  }

  #draft(
    request: Request,
    people: Pick<ComposeDraft, 'from' | 'to' | 'cc'>,
    all: readonly Mailbox[],
    own: string,
    links: (messageId: string) => Fields,
  ): ComposeDraft {
    const replyTo = check.mailboxes(request.replyTo, 'replyTo')
    const smtputf8 = ![people.from, ...all, ...replyTo].every(({ path }) => check.isAscii(path))
    const subject = check.plainText(request.subject, ['subject'], MAX_HEADER_VALUE)
    const messageId = request.messageId === '' ? own : check.messageId(request.messageId, smtputf8)
    return {
      ...people,
      ...{ replyTo, smtputf8, subject, messageId },
      date: request.date ?? this.#services.clock.now(),
      references: check.references(request.references, smtputf8),
      headers: [...links(messageId), ...check.headers(request)],
      text: check.body(request.text, 'text'),
      html: check.body(request.html, 'html'),
      alternativeFiles: check.files(request.alternativeFiles, 'alternativeFiles'),
      inlineFiles: check.files(request.inlineFiles, 'inlineFiles'),
      attachedFiles: check.files(request.attachedFiles, 'attachedFiles'),
    }
  }

  async #compose(
    caller: Caller,
    account: AccountInfo,
    request: Request,
    draft: ComposeDraft,
    paths: ReadonlyMap<string, Path>,
    stream: string,
  ): Promise<Prepared['message']> {
    const extra = check.extra(request.extra)
    const content = await composeMessage(headerSection(draft, USER_AGENT), draft, this.#services.random)
    if (content.length > this.#maxSize)
      throw new ApiError('messageTooLarge', `the message has ${content.length} bytes, more than ${this.#maxSize}`)
    const holdUntil = this.#release(request.futureRelease)
    return {
      ...{ account: account.name, content, source: 'webapi', remoteIp: caller.remoteIp, extra },
      ...(caller.loginAddress === undefined ? {} : { loginAddress: caller.loginAddress }),
      ...(stream === '' ? {} : { stream }),
      ...(request.requireTls === false ? { requireTls: false } : {}),
      envelope: {
        reversePath: draft.from.path,
        recipients: [...paths.values()].map(path => ({ path })),
        smtputf8: draft.smtputf8,
        ...(request.requireTls === true ? { requireTls: true } : {}),
        ...(holdUntil === undefined ? {} : { holdUntil, futureReleaseRequest: `until;${utc(holdUntil)}` }),
      },
    }
  }

  /** RFC 4865. A time that has passed means now. */
  #release(at: number | undefined): number | undefined {
    if (at === undefined) return undefined
    if (at - this.#services.clock.now() > MAX_FUTURE_RELEASE)
      throw new ApiError('user', 'a message can be scheduled at most 60 days ahead', { path: ['futureRelease'] })
    return at
  }

  /** Addresses that a suppression list has. A hint: the list is asked again when the delivery is due. */
  async #suppressed(account: string, stream: string, paths: ReadonlyMap<string, Path>): Promise<Set<string>> {
    const { suppressions } = this.#services
    const found = new Set<string>()
    if (suppressions === undefined) return found
    for (const [key, path] of paths) if ((await suppressions.check(account, stream, path)) !== undefined) found.add(key)
    return found
  }

  #record({ account, draft, stream, paths }: Prepared, messageId: number): void {
    const { clock, records } = this.#services
    const { subject, messageId: headerId } = draft
    const sender = formatAddress(draft.from.path)
    const recipients = Array.from(paths.keys(), key => key.toLowerCase())
    records.add({ at: clock.now(), messageId, account: account.name, stream, sender, subject, headerId, recipients })
  }
}

/** In the order To, Cc, Bcc, with repetitions. */
function sent(
  { draft, suppressed }: Prepared,
  request: Request,
  all: readonly Mailbox[],
  id: number,
  queued: ReadonlyMap<string, Pick<SentRecipient, 'queueId' | 'fromId'>>,
  warnings: readonly string[],
): Sent {
  const given = [...request.to, ...request.cc, ...request.bcc]
  const recipients = all.map(({ path }, i): SentRecipient => {
    const key = formatAddress(path)
    const ids = queued.get(key) ?? { queueId: 0, fromId: '' }
    const address = given[i]?.address ?? key
    return { address, path, ...ids, suppressed: suppressed.has(key) }
  })
  return { id, messageId: draft.messageId, subject: draft.subject, recipients, warnings }
}

/** "2030-01-31T12:00:00Z". */
function utc(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, '')
}
