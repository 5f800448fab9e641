// v0 message methods: read, mark, move and remove a message of the caller's account by its id in the message store. An id of
// another account, and one that is gone, is not found.
import { MailboxError, type Mailboxes, type MailboxMessage, type MailStore, type Storage } from '@mox/plugin-sdk'
import { MAX_BODIES } from '../limits.ts'
import { ApiError } from '../send/error.ts'
import { flagChange } from './flags.ts'

export interface MessageServices {
  readonly mailboxes: Mailboxes
  readonly storage: Storage
}

export async function find({ mailboxes }: MessageServices, account: string, id: number): Promise<MailboxMessage> {
  const message = id > 0 ? await mailboxes.message(id) : undefined
  if (message === undefined || message.account !== account)
    throw new ApiError('messageNotFound', 'there is no such message')
  return message
}

/** Prefix and content. */
export async function bytesOf({ mailboxes }: MessageServices, message: MailboxMessage): Promise<Buffer> {
  if (message.size > MAX_BODIES) throw new ApiError('messageTooLarge', 'the message is too large to be read this way')
  const chunks: Buffer[] = []
  for await (const chunk of await mailboxes.open(message.id)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function remove(services: MessageServices, account: string, id: number): Promise<object> {
  const message = await find(services, account, id)
  await change(services, account, store => store.expunge([message.id]))
  return {}
}

export async function flags(
  services: MessageServices,
  account: string,
  request: { MsgID: number; Flags: readonly string[] },
  add: boolean,
): Promise<object> {
  const message = await find(services, account, request.MsgID)
  const wanted = flagChange(request.Flags, add)
  await change(services, account, store => store.setFlags([message.id], wanted))
  return {}
}

export async function move(
  services: MessageServices,
  account: string,
  request: { MsgID: number; DestMailboxName: string },
): Promise<object> {
  const message = await find(services, account, request.MsgID)
  await change(services, account, async store => {
    const target = await store.mailbox(request.DestMailboxName)
    if (target === undefined) throw new ApiError('user', 'there is no such mailbox', { path: ['DestMailboxName'] })
    if (target.id === message.mailboxId) throw new ApiError('user', 'the message is in that mailbox already')
    await store.move([message.id], target.name)
  })
  return {}
}

async function change<T>(
  { mailboxes }: MessageServices,
  account: string,
  work: (store: MailStore) => Promise<T>,
): Promise<T> {
  try {
    return await work(await mailboxes.store(account))
  } catch (error) {
    if (error instanceof MailboxError) throw new ApiError('user', error.reply.text, { cause: error })
    throw error
  }
}
