// Every method of v0: its request, what it does, and an example of both sides for its page.
import type { Mailboxes, Storage, Suppressions } from '@mox/plugin-sdk'
import type { z } from 'zod'
import type { Caller } from '../send/author.ts'
import { ApiError } from '../send/error.ts'
import type { Sender } from '../send/sender.ts'
import * as messages from './messages.ts'
import { messageGet, partGet } from './read.ts'
import type { Decoded } from './request.ts'
import * as schemas from './schemas.ts'
import { send } from './send.ts'
import * as suppression from './suppression.ts'

export interface V0Services {
  readonly sender: Sender
  readonly storage: Storage
  readonly mailboxes: Mailboxes | undefined
  readonly suppressions: Suppressions | undefined
}

export type Answer =
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'bytes'; readonly contentType: string; readonly body: Buffer; readonly attachment: boolean }

interface Call<R> {
  readonly services: V0Services
  readonly caller: Caller
  readonly request: R
  readonly files: Decoded['files']
}

export interface Method {
  readonly name: string
  readonly summary: string
  readonly schema: z.ZodType
  readonly requestExample: object
  readonly responseExample: object | string
  /** Takes files beside the request. */
  readonly takesFiles: boolean
  run(call: Call<unknown>): Promise<Answer>
}

function method<S extends z.ZodType>(
  name: string,
  summary: string,
  schema: S,
  examples: readonly [request: object, response: object | string],
  run: (call: Call<z.output<S>>) => Promise<object | Answer>,
): Method {
  return {
    ...{
      name,
      summary,
      schema,
      requestExample: examples[0],
      responseExample: examples[1],
      takesFiles: name === 'Send',
    },
    run: async call => {
      const value = await run(call as Call<z.output<S>>)
      return 'kind' in value ? (value as Answer) : { kind: 'json', value }
    },
  }
}

function lists({ suppressions }: V0Services): Suppressions {
  if (suppressions !== undefined) return suppressions
  throw new ApiError('error', 'there are no suppression lists here; the operator can add the suppression plugin')
}

function stores({ mailboxes, storage }: V0Services): messages.MessageServices {
  if (mailboxes !== undefined) return { mailboxes, storage }
  throw new ApiError('error', 'there are no mailboxes here; the operator can add the mailboxes plugin')
}

const ADDRESS = { EmailAddress: 'ann@example.org' }
const TEXT_PART = {
  ...{ ContentType: 'text/plain', ContentTypeParams: { charset: 'utf-8' }, ContentID: '', ContentDisposition: '' },
  ...{ Filename: '', DecodedSize: 9, Parts: [] },
}

export const METHODS: readonly Method[] = [
  method(
    'Send',
    'Composes a message and queues it for its recipients.',
    schemas.send,
    [
      {
        ...{ To: [{ Name: 'Ann', Address: 'ann@example.org' }], Subject: 'Order 7', Text: 'Thanks.\n' },
        ...{ Extra: { order: '7' }, SaveSent: true },
      },
      {
        MessageID: '<kVTha0Q-a5Zh1MuTh5rUjg@mail.example.com>',
        Submissions: [{ Address: 'ann@example.org', QueueMsgID: 42, FromID: '' }],
      },
    ],
    ({ services, caller, request, files }) => send(services.sender, caller, request, files),
  ),
  method(
    'SuppressionList',
    'Lists the addresses that nothing is sent to.',
    schemas.empty,
    [
      {},
      {
        Suppressions: [
          {
            ...{ ID: 1, Created: '2030-01-01T12:00:00.000Z', Account: 'alice', BaseAddress: 'ann@example.org' },
            ...{ OriginalAddress: 'ann@example.org', Manual: true, Reason: 'asked by phone' },
          },
        ],
      },
    ],
    ({ services, caller }) => suppression.list(lists(services), caller.account),
  ),
  method(
    'SuppressionAdd',
    'Adds an address to the suppression list.',
    schemas.suppressionAdd,
    [{ ...ADDRESS, Manual: true, Reason: 'asked by phone' }, {}],
    ({ services, caller, request }) => suppression.add(lists(services), caller.account, request),
  ),
  method(
    'SuppressionRemove',
    'Removes an address from the suppression list.',
    schemas.suppressionAddress,
    [ADDRESS, {}],
    ({ services, caller, request }) => suppression.remove(lists(services), caller.account, request.EmailAddress),
  ),
  method(
    'SuppressionPresent',
    'Tells whether an address is on the suppression list.',
    schemas.suppressionAddress,
    [ADDRESS, { Present: true }],
    ({ services, caller, request }) => suppression.present(lists(services), caller.account, request.EmailAddress),
  ),
  method(
    'MessageGet',
    'Gives a message of the account with its texts, structure and what is known of it.',
    schemas.message,
    [
      { MsgID: 1 },
      {
        Message: {
          ...{ From: [{ Name: 'Ann', Address: 'ann@example.org' }], To: [{ Name: '', Address: 'alice@example.com' }] },
          ...{
            CC: [],
            BCC: [],
            ReplyTo: [],
            MessageID: '<1@example.org>',
            References: [],
            Date: '2030-01-01T12:00:00.000Z',
          },
          ...{ Subject: 'Hello', Text: 'Hi Alice\n', HTML: '' },
        },
        Structure: TEXT_PART,
        Meta: {
          ...{ Size: 1234, DSN: false, Flags: ['\\seen'], MailFrom: 'ann@example.org', MailFromValidated: true },
          ...{ RcptTo: 'alice@example.com', MsgFrom: 'ann@example.org', MsgFromValidated: true },
          ...{ DKIMVerifiedDomains: ['example.org'], RemoteIP: '192.0.2.1', MailboxName: 'Inbox' },
        },
      },
    ],
    ({ services, caller, request }) => messageGet(stores(services), caller.account, request.MsgID),
  ),
  method(
    'MessageRawGet',
    'Gives a message as it is stored, header and all.',
    schemas.message,
    [{ MsgID: 1 }, 'Received: …\r\nFrom: …'],
    async ({ services, caller, request }): Promise<Answer> => {
      const message = await messages.find(stores(services), caller.account, request.MsgID)
      const body = await messages.bytesOf(stores(services), message)
      return { kind: 'bytes', contentType: 'text/plain', body, attachment: false }
    },
  ),
  method(
    'MessagePartGet',
    'Gives the content of one part; the path is an index into Parts at each level.',
    schemas.messagePart,
    [{ MsgID: 1, PartPath: [1, 0] }, '(the bytes of the part)'],
    async ({ services, caller, request }): Promise<Answer> => {
      const part = await partGet(stores(services), caller.account, request)
      return { kind: 'bytes', ...part, attachment: true }
    },
  ),
  method(
    'MessageDelete',
    'Removes a message for good; it does not go to the trash.',
    schemas.message,
    [{ MsgID: 1 }, {}],
    ({ services, caller, request }) => messages.remove(stores(services), caller.account, request.MsgID),
  ),
  method(
    'MessageFlagsAdd',
    'Sets flags and keywords of a message.',
    schemas.messageFlags,
    [{ MsgID: 1, Flags: ['\\seen', '$junk', 'later'] }, {}],
    ({ services, caller, request }) => messages.flags(stores(services), caller.account, request, true),
  ),
  method(
    'MessageFlagsRemove',
    'Clears flags and keywords of a message.',
    schemas.messageFlags,
    [{ MsgID: 1, Flags: ['\\seen'] }, {}],
    ({ services, caller, request }) => messages.flags(stores(services), caller.account, request, false),
  ),
  method(
    'MessageMove',
    'Moves a message to another mailbox; it keeps its id.',
    schemas.messageMove,
    [{ MsgID: 1, DestMailboxName: 'Archive' }, {}],
    ({ services, caller, request }) => messages.move(stores(services), caller.account, request),
  ),
]

export const METHOD_BY_NAME: ReadonlyMap<string, Method> = new Map(METHODS.map(m => [m.name, m]))
