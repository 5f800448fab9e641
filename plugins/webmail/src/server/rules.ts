// Rules that file deliveries, and the question after a move whether one shall be made: from the mailbox where a recipient's
// mail goes by itself to another one, or back. Nobody is asked again about what they said "never" to.
import { createHash } from 'node:crypto'
import type { Clock, DeliveryRule, Directory, Mailboxes, Storage } from '@mox/plugin-sdk'
import { author, formatAddress, type Head, parseAddress, parseHeader } from '@mox/plugin-sdk/mail'
import { NEVER, type NeverRow } from '../schema.ts'
import { CallError, type Caller, type Handlers } from './call.ts'
import { ownMailbox, ownMessages, storeOf } from './stores.ts'

/** Answers "never" that an account has; the oldest one goes. */
export const MAX_NEVER = 10_000
/** Bytes of a message in which its header section is looked for. */
const HEADER_BYTES: number = 256 * 1024

interface Deps {
  readonly mailboxes: Mailboxes
  readonly directory: Directory
  readonly storage: Storage
  readonly clock: Clock
}

/** What a rule can go by. */
interface Traits {
  readonly recipient: string
  /** "local@domain" in lower case; '' when From is in doubt. */
  readonly msgFrom: string
  /** Without brackets, in lower case; '' without a list. */
  readonly listId: string
  /** The verified domain that the list is of; '' without one. */
  readonly listDomain: string
}

export function makeRuleCalls(deps: Deps): Handlers<'ruleSuggest' | 'rules' | 'ruleAdd' | 'ruleRemove' | 'ruleNever'> {
  const { mailboxes, storage, clock } = deps
  return {
    ruleSuggest: async ({ id, from, to }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await ownMessages(store, [id])
      const [source, target] = [await ownMailbox(store, from), await ownMailbox(store, to)]
      const traits = await traitsOf(deps, id)
      const usual = traits === undefined ? undefined : await usualMailbox(deps, caller, traits.recipient)
      if (traits === undefined || usual === undefined || source.id === target.id) return { suggestion: null }
      const kind = source.name === usual ? 'add' : target.name === usual ? 'remove' : undefined
      if (kind === undefined) return { suggestion: null }
      const other = kind === 'add' ? target : source
      if (await never(storage, caller.account, [...keysOf(traits), mailboxKey(other.id)])) return { suggestion: null }
      const day = new Date(clock.now()).toISOString().slice(0, 10)
      const rule = ruleFor(traits, other.name, `by webmail on ${day}`)
      const known = (await store.rules()).some(stored => sameButComment(stored, rule))
      if (known !== (kind === 'remove')) return { suggestion: null }
      const { listId, msgFrom, recipient } = traits
      return { suggestion: { kind, listId: usesList(traits) ? listId : '', msgFrom, recipient, rule: shownRule(rule) } }
    },
    rules: async (_, caller) => {
      const store = await storeOf(mailboxes, caller)
      return { rules: (await store.rules()).map(shownRule) }
    },
    ruleAdd: async ({ rule }, caller) => {
      const store = await storeOf(mailboxes, caller)
      await store.addRule(rule)
      return {}
    },
    ruleRemove: async ({ rule }, caller) => {
      const store = await storeOf(mailboxes, caller)
      if ((await store.removeRule(rule)) === 0) throw new CallError('notFound', 'there is no such rule any more')
      return {}
    },
    ruleNever: async ({ recipient, listId, msgFrom, mailboxId }, caller) => {
      const store = await storeOf(mailboxes, caller)
      if (mailboxId !== null) await ownMailbox(store, mailboxId)
      const [first] = keysOf({ recipient, listId, msgFrom })
      const key = mailboxId === null ? first : mailboxKey(mailboxId)
      if (key === undefined) throw new CallError('badRequest', 'name a mailbox, or a list or sender')
      await storage.write(async db => {
        const { account } = caller
        const row: NeverRow = { account, key, created_at: clock.now() }
        await db<NeverRow>(NEVER).insert(row).onConflict(['account', 'key']).ignore()
        const [count] = await db(NEVER).where({ account }).count({ n: '*' })
        if (Number(count?.['n']) <= MAX_NEVER) return
        const oldest = await db<NeverRow>(NEVER).where({ account }).orderBy('created_at').first('key')
        if (oldest !== undefined) await db<NeverRow>(NEVER).where({ account, key: oldest.key }).delete()
      })
      return {}
    },
  }
}

function shownRule({
  headers,
  ...rule
}: DeliveryRule): Omit<DeliveryRule, 'headers'> & { headers?: { name: string; value: string }[] } {
  return headers === undefined ? rule : { ...rule, headers: [...headers] }
}

/** Undefined for what did not come by delivery, or has nothing that a rule could go by. */
async function traitsOf({ mailboxes }: Deps, id: number): Promise<Traits | undefined> {
  const message = await mailboxes.message(id)
  if (message === undefined || message.rcptTo === '') return undefined
  const head = await headOf(await mailboxes.open(id))
  const lists = head.all('list-id')
  if (lists.length > 1) return undefined
  const path = author(head)
  const listId = (/<([^<>\s]+)>\s*$/.exec(lists[0]?.value ?? '')?.[1] ?? '').toLowerCase()
  const traits: Traits = {
    recipient: message.rcptTo.toLowerCase(),
    msgFrom: path === null ? '' : formatAddress(path).toLowerCase(),
    listId,
    listDomain: listId === '' ? '' : listDomain(listId, message.verifiedDomains),
  }
  return usesList(traits) || traits.msgFrom !== '' ? traits : undefined
}

function usesList({ listId, listDomain }: Traits): boolean {
  return listId !== '' && listDomain !== ''
}

/** The shortest verified domain that is the list's or above it; '' for none. Exported for tests. */
export function listDomain(listId: string, verified: readonly string[]): string {
  const own = verified.filter(domain => listId === domain || listId.endsWith(`.${domain}`))
  return own.sort((a, b) => a.length - b.length)[0] ?? ''
}

/** Where mail for the recipient goes without rules; undefined when the address is not the caller's. */
async function usualMailbox({ directory }: Deps, { account }: Caller, recipient: string): Promise<string | undefined> {
  const parsed = parseAddress(recipient)
  if (!parsed.ok) return undefined
  const found = await directory.resolve(parsed.path)
  return found.kind === 'account' && found.account === account ? found.mailbox : undefined
}

function ruleFor(traits: Traits, mailbox: string, comment: string): DeliveryRule {
  const { recipient, msgFrom, listId, listDomain } = traits
  const condition = usesList(traits)
    ? {
        verifiedDomain: listDomain,
        listAllowDomain: listDomain,
        headers: [{ name: '^list-id$', value: `${quoted(`<${listId}>`)}$` }],
      }
    : { msgFrom: `^${quoted(msgFrom)}$` }
  return { recipient, ...condition, mailbox, comment }
}

/** Matches only itself. */
function quoted(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, '\\$&')
}

function sameButComment(a: DeliveryRule, b: DeliveryRule): boolean {
  const text = ({ recipient, mailFrom, msgFrom, verifiedDomain, headers = [], mailbox }: DeliveryRule): string =>
    JSON.stringify([
      ...[recipient, mailFrom ?? null, msgFrom ?? null, verifiedDomain ?? null],
      ...[headers.map(({ name, value }) => [name, value]), mailbox],
    ])
  return text(a) === text(b)
}

/** What "never" can be about: the list, and the sender. */
function keysOf({ recipient, listId, msgFrom }: Pick<Traits, 'recipient' | 'listId' | 'msgFrom'>): string[] {
  return [
    ...(listId === '' ? [] : [hashOf('list', recipient, listId)]),
    ...(msgFrom === '' ? [] : [hashOf('from', recipient, msgFrom)]),
  ]
}

function mailboxKey(id: number): string {
  return hashOf('mailbox', String(id), '')
}

function hashOf(...words: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(words.map(word => word.toLowerCase())))
    .digest('hex')
}

async function never(storage: Storage, account: string, keys: readonly string[]): Promise<boolean> {
  const row = await storage
    .db<NeverRow>(NEVER)
    .where({ account })
    .whereIn('key', [...keys])
    .first('key')
  return row !== undefined
}

async function headOf(content: AsyncIterable<Buffer>): Promise<Head> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of content) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= HEADER_BYTES) break
  }
  return parseHeader(Buffer.concat(chunks).subarray(0, HEADER_BYTES))
}
