// Rules that file deliveries in another mailbox. Expressions are those of RE2, which take time in proportion to what they look
// at whatever they say; one delivery looks at a bounded number of characters. A rule that is not allowed is refused when it is
// added; at delivery nothing throws, and a rule that cannot be read does not match.
import type { DeliveryRule, Log, RuledDelivery, Ruling } from '@mox/plugin-sdk'
import {
  author,
  decodeWords,
  formatAddress,
  type Head,
  type Path,
  parseAddress,
  parseDomain,
} from '@mox/plugin-sdk/mail'
import { RE2JS } from 're2js'
import type { Context } from './context.ts'
import { refuse } from './errors.ts'
import { mailboxName } from './names.ts'
import { ACCOUNT, type AccountRow } from './schema.ts'

/** Rules of an account, and characters of all of them as they are kept. */
export const RULES = 200
export const RULES_LENGTH: number = 64 * 1024
/** Characters of an expression and of a comment, steps of a compiled expression, header conditions of a rule. */
export const EXPRESSION_LENGTH = 500
export const EXPRESSION_STEPS = 500
export const COMMENT_LENGTH = 200
export const RULE_HEADERS = 10
/** Characters of one header value, and of everything that is matched for one delivery; what is beyond does not match. */
export const VALUE_LENGTH = 1_000
export const LOOKED_AT: number = 64 * 1024

/** Throws a MailboxError that says what is wrong. */
export function addRule(rules: readonly DeliveryRule[], given: DeliveryRule): DeliveryRule[] {
  if (rules.length >= RULES) throw refuse('limit', `at most ${RULES} rules are possible; remove one first`)
  const added = [...rules, checkRule(given)]
  if (writeRules(added).length > RULES_LENGTH) throw refuse('limit', 'the rules are too long together; shorten some')
  return added
}

function checkRule({
  recipient,
  mailFrom,
  msgFrom,
  verifiedDomain,
  headers,
  forward,
  listAllowDomain,
  acceptRejects,
  mailbox,
  comment,
}: DeliveryRule): DeliveryRule {
  const name = checkMailbox(mailbox)
  if (comment.length > COMMENT_LENGTH) throw refuse('rule', `the comment has more than ${COMMENT_LENGTH} characters`)
  if (mailFrom === undefined && msgFrom === undefined && verifiedDomain === undefined && (headers ?? []).length === 0)
    throw refuse('rule', 'the rule has no condition and would take everything; give it one')
  if (forward === true && (mailFrom === undefined || verifiedDomain === undefined))
    throw refuse(
      'rule',
      'a rule for forwarded mail needs mailFrom and verifiedDomain, so that nobody else is taken for it',
    )
  if ((headers ?? []).length > RULE_HEADERS)
    throw refuse('rule', `at most ${RULE_HEADERS} header conditions are possible in a rule`)
  for (const [what, expression] of [
    ['mailFrom', mailFrom],
    ['msgFrom', msgFrom],
    ...(headers ?? []).flatMap((header, i) => [
      [`headers[${i}].name`, header.name],
      [`headers[${i}].value`, header.value],
    ]),
  ] as [string, string | undefined][])
    if (expression !== undefined) checkExpression(what, expression)
  return {
    recipient: recipient === '' ? '' : recipientKey(checkRecipient(recipient)),
    ...(mailFrom === undefined ? {} : { mailFrom }),
    ...(msgFrom === undefined ? {} : { msgFrom }),
    ...(verifiedDomain === undefined ? {} : { verifiedDomain: checkDomain('verifiedDomain', verifiedDomain) }),
    ...(headers === undefined || headers.length === 0
      ? {}
      : { headers: headers.map(({ name, value }) => ({ name, value })) }),
    ...(forward === true ? { forward } : {}),
    ...(listAllowDomain === undefined ? {} : { listAllowDomain: checkDomain('listAllowDomain', listAllowDomain) }),
    ...(acceptRejects === undefined ? {} : { acceptRejects: checkMailbox(acceptRejects) }),
    mailbox: name,
    comment,
  }
}

function checkMailbox(text: string): string {
  const checked = mailboxName(text)
  if (!checked.ok) throw refuse('name', checked.error)
  return checked.name
}

function checkExpression(what: string, expression: string): void {
  if (expression.length > EXPRESSION_LENGTH)
    throw refuse('rule', `${what} has more than ${EXPRESSION_LENGTH} characters`)
  let steps: number
  try {
    steps = compile(expression).programSize()
  } catch {
    throw refuse('rule', `${what} is no regular expression of RE2: it has no look-around and no back-references`)
  }
  if (steps > EXPRESSION_STEPS) throw refuse('rule', `${what} is too large; use smaller repeat counts`)
}

function checkRecipient(text: string): Path {
  const parsed = parseAddress(text)
  if (!parsed.ok) throw refuse('rule', 'recipient is no address; leave it empty for every address of the account')
  return parsed.path
}

function checkDomain(what: string, text: string): string {
  const parsed = parseDomain(text, { smtputf8: true })
  if (!parsed.ok) throw refuse('rule', `${what} is no domain`)
  return parsed.domain
}

/** The same for addresses that are the same to their recipients. */
function recipientKey(path: Path): string {
  return formatAddress(path).toLowerCase()
}

export function readRules(column: string): DeliveryRule[] {
  return column === '' ? [] : (JSON.parse(column) as DeliveryRule[])
}

export function writeRules(rules: readonly DeliveryRule[]): string {
  return rules.length === 0 ? '' : JSON.stringify(rules)
}

/** Rules are no part of what clients follow: they take no modseq. */
export async function changeRules(
  { storage, statements }: Context,
  name: string,
  change: (rules: DeliveryRule[]) => DeliveryRule[],
): Promise<void> {
  await storage.write(async db => {
    const account = await statements.account.get({ name })
    if (account === undefined) return
    const rules = writeRules(change(readRules(account.rules)))
    await db<AccountRow>(ACCOUNT).where({ id: account.id }).update({ rules })
  })
}

/** Whether two rules do the same; `rule` need not be one that was stored. */
export function sameRule(stored: DeliveryRule, rule: DeliveryRule): boolean {
  const text = (one: DeliveryRule): string => JSON.stringify({ ...one, comment: '' })
  return text(stored) === text(checkRule({ ...rule, comment: '' }))
}

/** The first rule that matches. */
export function ruling(column: string, delivery: RuledDelivery, log: Log): Ruling | undefined {
  if (column === '') return undefined
  const matcher = new Matcher(delivery)
  try {
    const rule = readRules(column).find(one => matcher.matches(one))
    if (rule === undefined) return undefined
    const { listAllowDomain } = rule
    return {
      rule,
      listed: listAllowDomain !== undefined && delivery.verifiedDomains?.includes(listAllowDomain) === true,
    }
  } catch (err) {
    log.error(
      { err, account: delivery.account },
      'delivery rules cannot be used, the message goes to the usual mailbox',
    )
    return undefined
  } finally {
    if (matcher.left < 0)
      log.warn({ account: delivery.account }, 'delivery rules looked at too much, some did not match')
  }
}

class Matcher {
  /** Characters that may still be looked at. */
  left = LOOKED_AT
  readonly #delivery: RuledDelivery
  #from: string | null | undefined
  #fields: readonly { readonly name: string; readonly value: string }[] | undefined

  constructor(delivery: RuledDelivery) {
    this.#delivery = delivery
  }

  matches(rule: DeliveryRule): boolean {
    const { recipient, reversePath, verifiedDomains = [], head } = this.#delivery
    if (rule.recipient !== '' && rule.recipient !== recipientKey(recipient)) return false
    const domain = rule.verifiedDomain
    if (domain !== undefined && !verifiedDomains.some(d => d === domain || d.endsWith(`.${domain}`))) return false
    if (rule.mailFrom !== undefined) {
      const text = reversePath === null ? '' : formatAddress(reversePath)
      if (!this.#find(rule.mailFrom, text)) return false
    }
    if (rule.msgFrom !== undefined) {
      this.#from ??= authorOf(head)
      if (this.#from === null || !this.#find(rule.msgFrom, this.#from)) return false
    }
    return (rule.headers ?? []).every(({ name, value }) => this.#hasField(head, name, value))
  }

  #hasField(head: Head, name: string, value: string): boolean {
    this.#fields ??= head.fields.map(field => ({
      name: field.lower,
      value: decodeWords(field.value.slice(0, 4 * VALUE_LENGTH)).slice(0, VALUE_LENGTH),
    }))
    return this.#fields.some(field => this.#find(name, field.name) && this.#find(value, field.value))
  }

  #find(expression: string, text: string): boolean {
    this.left -= text.length + 1
    return this.left >= 0 && compiled(expression).matcher(text).find()
  }
}

function authorOf(head: Head): string | null {
  const path = author(head)
  return path === null ? null : formatAddress(path)
}

function compile(expression: string): RE2JS {
  return RE2JS.compile(expression, RE2JS.CASE_INSENSITIVE)
}

/** Expressions that are kept compiled. */
const COMPILED = 1_000
const kept = new Map<string, RE2JS>()

function compiled(expression: string): RE2JS {
  let found = kept.get(expression)
  if (found === undefined) {
    if (kept.size >= COMPILED) kept.clear()
    found = compile(expression)
    kept.set(expression, found)
  }
  return found
}
