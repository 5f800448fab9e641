// The rest of the world on one port of 127.0.0.1, in a process of its own: an SMTP server that takes everything, and a resolver
// that names it as the MX host of every domain. Started, asked and ended from here.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ConfigOptions } from './config.ts'

const PROCESS = fileURLToPath(new URL('./outside-process.ts', import.meta.url))

export interface OutsideOptions {
  /** Offers STARTTLS. */
  readonly tls?: boolean
  /** Remembers every message, for `log`. */
  readonly record?: boolean
  /** Milliseconds between the end of a message and the reply to it. Default 0. */
  readonly replyAfterMs?: number
}

/** One message that got its 250. */
export interface Taken {
  /** Its Subject field. */
  readonly subject: string
  readonly recipients: readonly string[]
  /** SHA-256, hexadecimal, of what begins at its From field. */
  readonly hash: string
}

export interface Counts {
  readonly connections: number
  /** Of them with TLS. */
  readonly secured: number
  readonly messages: number
}

/** What the process is asked, and what it answers. */
export type Question = 'log' | 'counts'
export type Answer =
  | { readonly kind: 'ready'; readonly smtpPort: number; readonly dnsPort: number }
  | { readonly kind: 'log'; readonly log: readonly Taken[] }
  | { readonly kind: 'counts'; readonly counts: Counts }

export class Outside {
  readonly smtpPort: number
  readonly dnsPort: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, smtpPort: number, dnsPort: number) {
    this.#child = child
    this.smtpPort = smtpPort
    this.dnsPort = dnsPort
  }

  static async start(options: OutsideOptions = {}): Promise<Outside> {
    const child = fork(PROCESS, [JSON.stringify(options)], {
      execArgv: ['--conditions=mox-source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const ready = await next(child, 'ready')
    return new Outside(child, ready.smtpPort, ready.dnsPort)
  }

  /** Everything that was taken, in order. */
  async log(): Promise<readonly Taken[]> {
    return (await this.#ask('log')).log
  }

  async counts(): Promise<Counts> {
    return (await this.#ask('counts')).counts
  }

  /** Config of a server that delivers to it, or to another server of this machine on `port`. */
  config(port: number = this.smtpPort): Pick<ConfigOptions, 'imports' | 'plugins'> {
    return {
      imports: [`import { dns } from '@mox/plugin-dns'`, `import { smtpOut } from '@mox/plugin-smtp-out'`],
      plugins: [
        `dns({ servers: ['127.0.0.1:${this.dnsPort}'] })`,
        `smtpOut({ port: ${port}, allowNetworks: ['127.0.0.0/8'] })`,
      ],
    }
  }

  async #ask<K extends Question>(question: K): Promise<Extract<Answer, { kind: K }>> {
    const answer = next(this.#child, question)
    this.#child.send(question)
    return await answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = new Promise(resolve => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }
}

function next<K extends Answer['kind']>(child: ChildProcess, kind: K): Promise<Extract<Answer, { kind: K }>> {
  return new Promise((resolve, reject) => {
    child.once('message', message => {
      const answer = message as Answer
      if (answer.kind === kind) resolve(answer as Extract<Answer, { kind: K }>)
      else reject(new Error(`the world outside answered ${answer.kind}, not ${kind}`))
    })
    child.once('exit', code => reject(new Error(`the world outside ended with ${code}`)))
  })
}
