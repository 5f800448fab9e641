// Settings from resolv.conf, which is read again when it was written: DHCP and VPN clients do that at any time. A file that
// is gone, empty or broken changes nothing, and the log says so once.
import { readFile, stat } from 'node:fs/promises'
import type { Clock, Log } from '@mox/plugin-sdk'
import { parseResolvConf } from './resolv-conf.ts'
import { formatServer } from './server.ts'
import { DEFAULTS, type Settings } from './settings.ts'

/** Milliseconds between looks at the file. */
export const CHECK_MS = 5000
/** Octets of the file. */
export const FILE_LIMIT = 65_536

export class ResolvConfFile {
  readonly #path: string
  readonly #clock: Clock
  readonly #log: Log
  #settings: Settings = DEFAULTS
  #seen = ''
  #checkedAt = Number.NEGATIVE_INFINITY

  constructor(path: string, clock: Clock, log: Log) {
    this.#path = path
    this.#clock = clock
    this.#log = log
  }

  /** Looks at the file first when the last look is old; callers in the meantime get what is known. */
  async settings(): Promise<Settings> {
    // By distance, so that a clock that was set back does not stop the looks.
    if (Math.abs(this.#clock.now() - this.#checkedAt) >= CHECK_MS) {
      this.#checkedAt = this.#clock.now()
      await this.#look()
    }
    return this.#settings
  }

  async #look(): Promise<void> {
    let state = ''
    let text = ''
    try {
      const { mtimeMs, size, ino } = await stat(this.#path)
      state = `${mtimeMs}:${size}:${ino}`
      if (state === this.#seen) return
      if (size > FILE_LIMIT) return this.#keep(state, `it has more than ${FILE_LIMIT} octets`)
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return this.#keep(`${state} ${code}`, code ?? message)
    }
    const { settings, ignored } = parseResolvConf(text)
    if (settings === undefined)
      return this.#keep(state, text.trim() === '' ? 'it is empty' : `no nameserver is an IP address: ${ignored}`)
    this.#seen = state
    this.#settings = settings
    const servers = settings.servers.map(formatServer)
    this.#log.info({ file: this.#path, servers, ignored }, 'name servers read')
  }

  /** Goes on with the settings there are. */
  #keep(state: string, why: string): void {
    if (this.#seen === state) return
    this.#seen = state
    const servers = this.#settings.servers.map(formatServer)
    this.#log.warn({ file: this.#path, why, servers }, 'name servers cannot be read; those known stay in use')
  }
}
