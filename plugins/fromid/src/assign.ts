// onQueue: gives each recipient a sender address of its own. What stands in the way of that (no separator, no room) is logged
// once and the message goes out as it is; only a caller's own id that cannot be used is refused.
import {
  type Directory,
  type Log,
  patch,
  type QueueDraft,
  type QueueInput,
  type QueueVerdict,
  type Random,
  refuse,
  type Storage,
} from '@mox/plugin-sdk'
import { type Path, parseAddress } from '@mox/plugin-sdk/mail'
import { canonicalId, separatorOf, split, withId } from './address.ts'
import type { Options } from './options.ts'

/** Addresses and domains remembered that the log has been told about. */
const TOLD = 1_000
/** How messages that do not come over SMTP name their protocol. */
const HTTP = 'HTTP'

export interface AssignDeps {
  readonly storage: Storage
  readonly directory: Directory
  readonly random: Random
  readonly log: Log
  readonly loginAddresses: Options['loginAddresses']
}

export class Assigner {
  readonly #deps: AssignDeps
  readonly #told = new Set<string>()

  constructor(deps: AssignDeps) {
    this.#deps = deps
  }

  async assign({ draft, messageId }: Pick<QueueInput, 'draft' | 'messageId'>): Promise<QueueVerdict | undefined> {
    const { reversePath, fromId: given } = draft
    if (reversePath === null || !(given !== undefined || this.#enabled(draft))) return undefined
    const separator = await separatorOf(this.#deps.directory, reversePath.domain)
    if (separator === undefined) {
      this.#tell(reversePath.domain, 'no unique sender addresses: the domain has no separator')
      return undefined
    }
    if (given !== undefined) return this.#use(reversePath, separator, given)
    const { rest } = split(reversePath.localpart, separator)
    if (rest !== undefined && (await this.#overSmtp(messageId))) return await this.#chosen(messageId, rest)
    return this.#use(reversePath, separator, this.#deps.random.id())
  }

  #enabled({ account, loginAddress }: QueueDraft): boolean {
    const addresses = Object.hasOwn(this.#deps.loginAddresses, account) ? this.#deps.loginAddresses[account] : undefined
    if (addresses === undefined || loginAddress === undefined) return false
    const parsed = parseAddress(loginAddress)
    return parsed.ok && addresses.some(one => samePath(one, parsed.path))
  }

  #use(reversePath: Path, separator: string, id: string): QueueVerdict | undefined {
    const unique = withId(reversePath, separator, id)
    if (unique !== undefined) return patch<QueueDraft>({ reversePath: unique, fromId: canonicalId(id) })
    this.#tell(`${reversePath.localpart}@${reversePath.domain}`, 'no unique sender address: the localpart is too long')
    return undefined
  }

  /** The client of an SMTP session wrote an id of its own into MAIL FROM; that it is unique, the queue sees to. */
  async #chosen(messageId: number, id: string): Promise<QueueVerdict | undefined> {
    if (id === '') return undefined
    const message = await this.#deps.storage.messages.get(messageId)
    if ((message?.recipients.length ?? 0) > 1)
      return refuse('a sender address with an id of your own is for one recipient; send to each one separately', {
        code: 554,
        enhanced: '5.5.3',
      })
    return patch<QueueDraft>({ fromId: canonicalId(id) })
  }

  async #overSmtp(messageId: number): Promise<boolean> {
    return (await this.#deps.storage.messages.get(messageId))?.protocol !== HTTP
  }

  #tell(address: string, text: string): void {
    if (this.#told.has(address) || this.#told.size >= TOLD) return
    this.#told.add(address)
    this.#deps.log.warn({ address }, text)
  }
}

/** With the case of the localpart: two logins of one account differ by nothing else than what they are written like. */
export function samePath(a: Path, b: Path): boolean {
  return a.localpart === b.localpart && a.domain === b.domain
}
