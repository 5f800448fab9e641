// Asks the servers one question until one of them gives a usable answer. One that cannot answer (SERVFAIL, REFUSED, nonsense)
// makes way for the next at once; one that says nothing is asked again in the next round. When none is left it throws a
// DnsError with the most telling failure and the text of all.
import { type Clock, DnsError, type DnsFailureCode, type DnsType, type Random } from '@mox/plugin-sdk'
import { isTruncated, type Message, makeQuery, RCODE, rcodeOf, readMessage } from './message.ts'
import { WireError } from './names.ts'
import { formatServer, isLoopback, type Server } from './server.ts'
import type { Settings } from './settings.ts'
import { askTcp } from './tcp.ts'
import { askUdp } from './udp.ts'
import { LateError, type Wait } from './within.ts'

export interface Reply {
  readonly message: Message
  /** The AD bit is set and may be believed. */
  readonly authentic: boolean
}

export interface AskContext {
  readonly clock: Clock
  readonly random: Random
  readonly settings: () => Promise<Settings>
}

/** One server's failure. */
interface Failure {
  readonly code: DnsFailureCode
  readonly text: string
  readonly extended?: DnsError['extended']
  /** It said nothing: may be asked again. */
  readonly silent: boolean
}

/** From the least telling. */
const TELLING: readonly DnsFailureCode[] = ['timeout', 'refused', 'malformed', 'servfail']

export class Asker {
  readonly #context: AskContext
  #turn = 0

  constructor(context: AskContext) {
    this.#context = context
  }

  /** `name` as from askedName(). Throws a DnsError, or the signal's reason. */
  async ask(name: string, type: DnsType, signal: AbortSignal): Promise<Reply> {
    const settings = await this.#context.settings()
    const failures = new Map<Server, Failure>()
    const servers = this.#inTurn(settings)
    for (let attempt = 0; attempt < settings.attempts; attempt++)
      for (const server of servers) {
        if (failures.get(server)?.silent === false) continue
        const result = await this.#askServer(server, name, type, settings, signal)
        if ('message' in result) return result
        failures.set(server, result)
      }
    throw failureOf(`${type} ${name}`, failures)
  }

  #inTurn({ servers, rotate }: Settings): readonly Server[] {
    if (!rotate) return servers
    const first = this.#turn++ % servers.length
    return [...servers.slice(first), ...servers.slice(0, first)]
  }

  async #askServer(
    server: Server,
    name: string,
    type: DnsType,
    { timeoutMs, trustAd }: Settings,
    signal: AbortSignal,
  ): Promise<Reply | Failure> {
    try {
      const wait: Wait = { clock: this.#context.clock, timeoutMs, signal }
      const message = await this.#exchange(server, name, type, wait)
      const trusted = trustAd ?? isLoopback(server)
      return judge(message) ?? { message, authentic: message.authentic && trusted }
    } catch (error) {
      signal.throwIfAborted()
      return failureFrom(error)
    }
  }

  async #exchange(server: Server, name: string, type: DnsType, wait: Wait): Promise<Message> {
    const once = async (edns: boolean): Promise<{ packet: Buffer; read: () => Message }> => {
      const query = makeQuery(name, type, this.#context.random.bytes(2).readUInt16BE(), edns)
      const datagram = await askUdp(server, query, wait)
      const packet = datagram === undefined || isTruncated(datagram) ? await askTcp(server, query, wait) : datagram
      return { packet, read: () => readMessage(query, packet) }
    }
    const first = await once(true)
    // RFC 6891 §7: it does not know EDNS.
    return (rcodeOf(first.packet) === RCODE.formErr ? await once(false) : first).read()
  }
}

/** What is wrong with an answer that can be read; undefined for a usable one. */
function judge({ rcode, referral, extended }: Message): Failure | undefined {
  const why = extended === undefined ? {} : { extended }
  const said = extended === undefined ? '' : ` (${extended.code}${extended.text === '' ? '' : ` ${extended.text}`})`
  if (referral) return { code: 'refused', text: 'looks nothing up for us, only names other servers', silent: false }
  if (rcode === RCODE.noError || rcode === RCODE.nxDomain) return undefined
  if (rcode === RCODE.refused) return { code: 'refused', text: `REFUSED${said}`, ...why, silent: false }
  const text = rcode === RCODE.servFail ? `SERVFAIL${said}` : `RCODE ${rcode}${said}`
  return { code: 'servfail', text, ...why, silent: false }
}

function failureFrom(error: unknown): Failure {
  if (error instanceof LateError) return { code: 'timeout', text: error.message, silent: true }
  if (error instanceof WireError)
    return { code: 'malformed', text: `the answer cannot be read: ${error.message}`, silent: false }
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) throw error
  return { code: code === 'ECONNREFUSED' ? 'refused' : 'timeout', text: `${syscall} ${code}`, silent: true }
}

function failureOf(question: string, failures: ReadonlyMap<Server, Failure>): DnsError {
  const rank = (f: Failure): number => 2 * TELLING.indexOf(f.code) + (f.extended === undefined ? 0 : 1)
  const [worst] = [...failures.values()].sort((a, b) => rank(b) - rank(a))
  const texts = [...failures].map(([server, { text }]) => `${formatServer(server)} ${text}`)
  return new DnsError(worst?.code ?? 'timeout', `${question}: ${texts.join('; ')}`, worst?.extended)
}
