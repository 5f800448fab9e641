// `mox mailbox rule …`: rules that file deliveries in mailboxes.
import { type Command, type DeliveryRule, MailboxError, type Mailboxes, UsageError } from '@mox/plugin-sdk'

const ACCOUNT = { name: 'account', help: 'name of the account' }

export function ruleCommands(mailboxes: Mailboxes): readonly Command[] {
  return [
    {
      path: ['mailbox', 'rule', 'list'],
      summary: 'Rules that file deliveries of an account, in the order they are tried',
      arguments: [ACCOUNT],
      offline: true,
      run: async ({ arguments: [account = ''], limit }) => {
        const rules = await (await mailboxes.store(account)).rules()
        const rows = rules.slice(0, limit).map((rule, i) => ({
          number: i + 1,
          recipient: rule.recipient,
          mailbox: rule.mailbox,
          conditions: conditions(rule),
          comment: rule.comment,
        }))
        const columns = ['number', 'recipient', 'mailbox', 'conditions', 'comment']
        return { kind: 'rows', columns, rows, more: rules.length > limit }
      },
    },
    {
      path: ['mailbox', 'rule', 'add'],
      summary: 'Adds a rule: what meets all its conditions is filed in the mailbox',
      arguments: [ACCOUNT, { name: 'mailbox', help: 'where to file; made when missing' }],
      flags: [
        { name: 'recipient', type: 'string', help: 'only mail to this address of the account' },
        { name: 'mail-from', type: 'string', help: 'regular expression (RE2) on the SMTP sender' },
        { name: 'msg-from', type: 'string', help: 'regular expression on the From address' },
        { name: 'verified-domain', type: 'string', help: 'domain that SPF or DKIM vouches for, or one above it' },
        { name: 'header', type: 'string', help: 'NAME=VALUE, regular expressions on a header field' },
        {
          name: 'forward',
          type: 'boolean',
          help: 'who sends it forwards mail of others; needs --mail-from and --verified-domain',
        },
        {
          name: 'list-allow-domain',
          type: 'string',
          help: 'take it without looking for spam when this domain is verified',
        },
        { name: 'accept-rejects', type: 'string', help: 'mailbox for what meets the rule and would be refused' },
        { name: 'comment', type: 'string', help: 'for people' },
      ],
      offline: true,
      run: async ({ arguments: [account = '', mailbox = ''], flags }) => {
        const store = await mailboxes.store(account)
        const text = (name: string): string | undefined => {
          const value = flags.get(name)
          return value === undefined ? undefined : String(value)
        }
        const rule: DeliveryRule = {
          recipient: text('recipient') ?? '',
          mailFrom: text('mail-from'),
          msgFrom: text('msg-from'),
          verifiedDomain: text('verified-domain'),
          headers: headerCondition(text('header')),
          forward: flags.get('forward') === true,
          listAllowDomain: text('list-allow-domain'),
          acceptRejects: text('accept-rejects'),
          mailbox,
          comment: text('comment') ?? '',
        }
        await told(() => store.addRule(rule))
        return { kind: 'text', text: 'rule added' }
      },
    },
    {
      path: ['mailbox', 'rule', 'remove'],
      summary: 'Removes a rule',
      arguments: [ACCOUNT, { name: 'number', help: 'as `mox mailbox rule list` shows it' }],
      offline: true,
      run: async ({ arguments: [account = '', number = ''] }) => {
        const store = await mailboxes.store(account)
        const rule = /^\d{1,4}$/.test(number) ? (await store.rules())[Number(number) - 1] : undefined
        if (rule === undefined)
          throw new UsageError(`account ${account} has no rule ${number}; see mox mailbox rule list`)
        const removed = await store.removeRule(rule)
        return { kind: 'text', text: removed === 1 ? 'rule removed' : `${removed} equal rules removed` }
      },
    },
  ]
}

function headerCondition(text: string | undefined): DeliveryRule['headers'] {
  if (text === undefined) return undefined
  const equals = text.indexOf('=')
  if (equals < 1) throw new UsageError('--header needs NAME=VALUE, such as ^list-id$=announce')
  return [{ name: text.slice(0, equals), value: text.slice(equals + 1) }]
}

function conditions(rule: DeliveryRule): string {
  const { mailFrom, msgFrom, verifiedDomain, headers = [], forward, listAllowDomain, acceptRejects } = rule
  return [
    ...(mailFrom === undefined ? [] : [`mail-from ${mailFrom}`]),
    ...(msgFrom === undefined ? [] : [`msg-from ${msgFrom}`]),
    ...(verifiedDomain === undefined ? [] : [`verified-domain ${verifiedDomain}`]),
    ...headers.map(({ name, value }) => `header ${name}=${value}`),
    ...(forward === true ? ['forward'] : []),
    ...(listAllowDomain === undefined ? [] : [`list-allow-domain ${listAllowDomain}`]),
    ...(acceptRejects === undefined ? [] : [`accept-rejects ${acceptRejects}`]),
  ].join('; ')
}

/** A refusal of the store is the user's mistake here. */
export async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (err) {
    throw err instanceof MailboxError ? new UsageError(err.reply.text) : err
  }
}
