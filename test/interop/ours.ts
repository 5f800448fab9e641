// Our server beside another one: mail for its domain goes there as to any MX host; what bob sends goes there through a relay that
// is told not to use TLS. It takes mail for example.org.
import { mox } from '../kit/cli.ts'
import { LOGIN } from '../kit/config.ts'
import { Outside } from '../kit/outside.ts'
import type { ProbeMessage, ProbeRecipient } from '../kit/probe.ts'
import { type Server, startServer } from '../kit/server.ts'
import { stuffed } from '../kit/smtp.ts'
import { eventually } from '../kit/temp.ts'

/** Seconds between attempts. */
const RETRY = Array<number>(60).fill(1)

export interface Mail {
  readonly subject: string
  readonly from?: string
  /** Addresses, with parameters of RCPT behind them: "bob@example.org NOTIFY=SUCCESS". */
  readonly to: readonly string[]
  /** Parameters of MAIL. */
  readonly parameters?: string
  /** Octets of the body, about. */
  readonly size?: number
}

export interface Ours extends AsyncDisposable {
  readonly server: Server
  /** Logs in as alice, or as who is the sender, and submits. */
  submit(mail: Mail): Promise<void>
  /** What became of the recipient of the message with this subject; waits until `done` says that it is enough. */
  fate(address: string, done: (one: ProbeRecipient) => boolean): Promise<ProbeRecipient>
  /** The bytes of a message in a mailbox that `matches`; waits for it. */
  message(account: string, matches: (text: string) => boolean): Promise<string>
}

export async function startOurs(port: number): Promise<Ours> {
  const names = await Outside.start()
  const { imports = [] } = names.config()
  const server = await startServer({
    config: {
      retrySchedule: RETRY,
      imports: [...imports, `import { dsn } from '@mox/plugin-dsn'`, `import { routes } from '@mox/plugin-routes'`],
      plugins: [
        `dns({ servers: ['127.0.0.1:${names.dnsPort}'] })`,
        `dsn()`,
        `routes({ accounts: { bob: [{ transport: 'plain' }] } })`,
        `smtpOut({
          port: ${port},
          allowNetworks: ['127.0.0.0/8'],
          transports: { plain: { kind: 'smtp', host: '127.0.0.1', port: ${port}, noStartTls: true } },
        })`,
      ],
    },
  })
  return {
    server,
    submit: async mail => await submit(server, mail),
    fate: (address, done) =>
      eventually(async () => {
        const all = await server.get<ProbeRecipient[]>('/probe/recipients')
        const found = all.filter(one => one.address === address).find(done)
        if (found === undefined) throw new Error(`${address} is not there yet:\n${all.map(brief).join('\n')}`)
        return found
      }),
    message: (account, matches) =>
      eventually(async () => {
        const all = await server.get<ProbeMessage[]>('/probe/mail')
        const texts: string[] = []
        for (const { id } of all.filter(one => one.account === account))
          texts.push(await (await fetch(server.url(`/probe/mail/${id}`))).text())
        const found = texts.find(matches)
        if (found === undefined) throw new Error(`no such message among:\n${texts.join('\n---\n')}`)
        return found
      }),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await names[Symbol.asyncDispose]()
    },
  }
}

function brief({ address, subject, status, results }: ProbeRecipient): string {
  const attempts = results.map(({ number, outcome, code, enhanced, text }) => [number, outcome, code, enhanced, text])
  return `${address} "${subject}" ${status}: ${attempts.map(words => words.join(' ')).join(', ')}`
}

async function submit(server: Server, { subject, from = 'alice@example.org', to, parameters = '', size }: Mail) {
  const session = await server.smtp()
  await session.ehlo()
  await session.login({ ...LOGIN.serve, user: from })
  await transaction(session, { subject, from, to, parameters, ...(size === undefined ? {} : { size }) })
  await session.quit()
}

/** One message in an open session; every command must be taken. */
export async function transaction(
  session: Awaited<ReturnType<Server['smtp']>>,
  { subject, from = '', to, parameters = '', size = 100 }: Mail,
): Promise<void> {
  const line = `${'x'.repeat(76)}\r\n`
  const body = line.repeat(Math.ceil(size / line.length))
  const content = Buffer.from(
    `From: <${from}>\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@interop.test>\r\n\r\n${body}`,
  )
  await session.expect(250, `MAIL FROM:<${from}>${parameters}`)
  for (const one of to) {
    const [address, ...more] = one.split(' ')
    await session.expect(250, [`RCPT TO:<${address}>`, ...more].join(' '))
  }
  await session.expect(354, 'DATA')
  session.write(stuffed(content))
  const { code, lines } = await session.reply()
  if (code !== 250) throw new Error(`the message was answered ${code} ${lines.join(' / ')}`)
}

export interface Report {
  readonly kind: string
  readonly reportingMta: string
  readonly envelopeId: string
  readonly messageId: string
  readonly recipients: readonly Readonly<Record<'finalRecipient' | 'originalRecipient' | 'action' | 'status', string>>[]
}

/** What `mox dsn parse` makes of a file. */
export async function parsed({ configFile }: Server, file: string): Promise<Report> {
  const { code, stdout, stderr } = await mox(['dsn', 'parse', file, '--json', '--config', configFile])
  if (code !== 0) throw new Error(`mox dsn parse: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Report
}
