// `mox queue holdrules …`.
import { type Command, type CommandInput, type Directory, UsageError } from '@mox/plugin-sdk'
import { displayDomain, type Path, parseAddress, parseDomain, pathToString } from '@mox/plugin-sdk/mail'
import type { Conditions } from './rule.ts'
import type { Rules } from './rules.ts'

/** Characters of a reason. */
export const REASON_LENGTH = 200

const CONDITIONS = [
  { name: 'account', type: 'string', help: 'what this account submitted' },
  { name: 'senderdom', type: 'string', help: 'envelope senders of this domain' },
  { name: 'recipientdom', type: 'string', help: 'recipients of this domain' },
  { name: 'sender', type: 'string', help: 'this envelope sender' },
  { name: 'recipient', type: 'string', help: 'this recipient' },
] as const

export function holdCommands(rules: Rules, directory: Directory): readonly Command[] {
  return [
    {
      path: ['queue', 'holdrules', 'list'],
      summary: 'rules that keep messages in the queue',
      offline: true,
      run: async ({ limit }) => {
        const all = await rules.all()
        const rows = all.slice(0, limit).map(rule => ({
          id: rule.id,
          account: rule.account ?? '',
          senderdom: rule.senderDomain === undefined ? '' : displayDomain(rule.senderDomain),
          recipientdom: rule.recipientDomain === undefined ? '' : displayDomain(rule.recipientDomain),
          sender: pathToString(rule.sender ?? null),
          recipient: pathToString(rule.recipient ?? null),
          reason: rule.reason,
          added: new Date(rule.createdAt).toISOString().replace(/\.\d{3}Z$/, 'Z'),
        }))
        const columns = ['id', 'account', 'senderdom', 'recipientdom', 'sender', 'recipient', 'reason', 'added']
        return { kind: 'rows', columns, rows, more: all.length > limit }
      },
    },
    {
      path: ['queue', 'holdrules', 'add'],
      summary: 'hold recipients that are all that is given, those in the queue and those to come',
      flags: [
        ...CONDITIONS,
        { name: 'all', type: 'boolean', help: 'everything: the whole queue stands still' },
        { name: 'reason', type: 'string', help: 'why, for those who look later' },
      ],
      offline: true,
      run: async input => {
        const conditions = await conditionsOf(input, directory)
        const all = input.flags.get('all') === true
        if (all === Object.keys(conditions).length > 0)
          throw new UsageError(
            `choose recipients with ${CONDITIONS.map(f => `--${f.name}`).join(', ')}, or write --all`,
          )
        const { rule, held } = await rules.add(conditions, reasonOf(input))
        return { kind: 'text', text: `hold rule ${rule.id} added; ${count(held)} in the queue put on hold` }
      },
    },
    {
      path: ['queue', 'holdrules', 'remove'],
      summary: 'remove a rule; what it held stays on hold, unless --release is given',
      arguments: [{ name: 'ID', help: 'id, as `mox queue holdrules list` shows it' }],
      flags: [
        { name: 'release', type: 'boolean', help: 'let go what rules have put on hold and no other rule is about' },
      ],
      offline: true,
      run: async ({ arguments: [text = ''], flags }) => {
        if (!/^[1-9]\d{0,14}$/.test(text))
          throw new UsageError(`${JSON.stringify(text)} is no id; it is a number such as 3`)
        const release = flags.get('release') === true
        const released = await rules.remove(Number(text), release)
        const rest = release ? `; ${count(released)} released` : '; release what it held with mox queue unhold'
        return { kind: 'text', text: `hold rule ${text} removed${rest}` }
      },
    },
  ]
}

const count = (n: number): string => `${n} ${n === 1 ? 'recipient' : 'recipients'}`

async function conditionsOf({ flags }: CommandInput, directory: Directory): Promise<Conditions> {
  const text = (name: (typeof CONDITIONS)[number]['name']): string | undefined => {
    const value = flags.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const account = text('account')
  if (account !== undefined && (await directory.account(account)) === undefined)
    throw new UsageError(`there is no account ${JSON.stringify(account)}; see mox account list`)
  const domain = (name: 'senderdom' | 'recipientdom') => parse(name, text(name), domainOf)
  const address = (name: 'sender' | 'recipient') => parse(name, text(name), addressOf)
  const [senderDomain, recipientDomain] = [domain('senderdom'), domain('recipientdom')]
  const [sender, recipient] = [address('sender'), address('recipient')]
  return {
    ...(account === undefined ? {} : { account }),
    ...(senderDomain === undefined ? {} : { senderDomain }),
    ...(recipientDomain === undefined ? {} : { recipientDomain }),
    ...(sender === undefined ? {} : { sender }),
    ...(recipient === undefined ? {} : { recipient }),
  }
}

type Parsed<T> = { readonly value: T } | { readonly error: string }

function parse<T>(flag: string, text: string | undefined, read: (text: string) => Parsed<T>): T | undefined {
  if (text === undefined) return undefined
  const parsed = read(text)
  if ('value' in parsed) return parsed.value
  throw new UsageError(`--${flag} ${JSON.stringify(text.slice(0, 100))}: ${parsed.error}`)
}

function domainOf(text: string): Parsed<string> {
  const parsed = parseDomain(text, { smtputf8: true })
  return parsed.ok ? { value: parsed.domain } : { error: `${parsed.error}; write a domain such as example.com` }
}

function addressOf(text: string): Parsed<Path> {
  const parsed = parseAddress(text)
  return parsed.ok ? { value: parsed.path } : { error: `${parsed.error}; write an address such as bob@example.com` }
}

function reasonOf({ flags }: CommandInput): string {
  const reason = flags.get('reason') ?? ''
  if (typeof reason === 'string' && reason.length <= REASON_LENGTH && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(reason))
    return reason
  throw new UsageError(`--reason must be one line of at most ${REASON_LENGTH} characters`)
}
