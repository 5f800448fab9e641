// `mox webapi`: what the methods of v0 are, an example of each, and a call from the command line. Needs no configuration: the
// login is in the URL. `mox webapi key …` goes to the running server.
import { parseArgs } from 'node:util'
import { UsageError } from '@mox/plugin-sdk'

/** What core hands to a command that a package brings. */
export interface CommandTools {
  command(words: readonly string[], config?: string): Promise<void>
  stdout(text: string): void
}

/** Standard input and output, and the network. */
export interface CallTools {
  readonly stdin: () => AsyncIterable<Buffer>
  readonly bytes: (bytes: Buffer) => void
  readonly fetch: typeof fetch
}

/** Octets of a request read from standard input, and of a response. */
export const MAX_INPUT: number = 150 * 1024 * 1024
export const MAX_OUTPUT: number = 150 * 1024 * 1024
/** Milliseconds of a call. */
const TIMEOUT_MS = 300_000

const HELP = `mox webapi                    the methods
mox webapi METHOD             an example of its request and response
mox webapi METHOD URL         calls it: the request is JSON from standard input, the response goes to standard output
mox webapi key …              API keys; see mox webapi key add --help

URL is where the web API is, with a login in it; an @ in the login is written %40:

  echo '{"To":[{"Address":"ann@example.org"}],"Text":"Thanks."}' |
    mox webapi Send http://mox%40localhost:moxmoxmox@localhost:1080/webapi/
`

const command: { summary: string; help: string; run(argv: readonly string[], tools: CommandTools): Promise<void> } = {
  summary: 'methods of the web API: list, explain, call',
  help: HELP,
  run: (argv, tools) => runWebapi(argv, tools, PROCESS),
}
export default command

const PROCESS: CallTools = {
  stdin: () => process.stdin as AsyncIterable<Buffer>,
  bytes: bytes => void process.stdout.write(bytes),
  fetch: (...args) => fetch(...args),
}

export async function runWebapi(argv: readonly string[], tools: CommandTools, call: CallTools): Promise<void> {
  if (argv[0] === 'key') {
    // Core appends the config that was named.
    const at = argv.lastIndexOf('--config')
    return at < 0
      ? await tools.command(['webapi', ...argv])
      : await tools.command(withoutConfig(argv, at), argv[at + 1])
  }
  const [name, url, ...others] = wordsOf(argv)
  if (name === 'help') return tools.stdout(HELP)
  if (others.length > 0) throw new UsageError('mox webapi takes a method and a URL; see mox webapi --help')
  // Loaded when needed: mox help asks every package.
  const { METHOD_BY_NAME, METHODS } = await import('./v0/methods.ts')
  if (name === undefined) return tools.stdout(METHODS.map(m => `${m.name.padEnd(20)}  ${m.summary}\n`).join(''))
  const method = METHOD_BY_NAME.get(name)
  if (method === undefined)
    throw new UsageError(
      `there is no method ${JSON.stringify(name)}; mox webapi lists them (upper and lower case matter)`,
    )
  if (url === undefined) {
    const { requestExample: request, responseExample: response } = method
    const shown = typeof response === 'string' ? response : JSON.stringify(response, null, 2)
    return tools.stdout(`${method.summary}\n\nRequest:\n${JSON.stringify(request, null, 2)}\n\nResponse:\n${shown}\n`)
  }
  await post(name, url, tools, call)
}

function withoutConfig(argv: readonly string[], at: number): string[] {
  return ['webapi', ...argv.slice(0, at), ...argv.slice(at + 2)]
}

function wordsOf(argv: readonly string[]): readonly string[] {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, config: { type: 'string' } },
    })
    return values.help === true ? ['help'] : positionals
  } catch (error) {
    throw new UsageError(`webapi: ${(error as Error).message}; see mox webapi --help`)
  }
}

async function post(name: string, text: string, tools: CommandTools, call: CallTools): Promise<void> {
  const { url, authorization } = target(name, text)
  const request = (await limited(call.stdin(), MAX_INPUT, 'the request')).toString()
  try {
    JSON.parse(request)
  } catch {
    throw new UsageError('standard input must have the request as JSON; {} where a method needs nothing')
  }
  let response: Response
  let body: Buffer
  try {
    response = await call.fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { Authorization: authorization, 'Content-Type': 'application/json' },
      body: request,
    })
    body = await limited(response.body ?? [], MAX_OUTPUT, 'the response')
  } catch (error) {
    if (error instanceof UsageError) throw error
    const { cause, message } = error as Error
    throw new UsageError(`${url.origin} could not be called: ${cause instanceof Error ? cause.message : message}`)
  }
  const json = (response.headers.get('content-type') ?? '').includes('json')
  if (!response.ok) throw new UsageError(`status ${response.status}: ${reason(body, json)}`)
  if (json) tools.stdout(`${JSON.stringify(JSON.parse(body.toString()), null, 2)}\n`)
  else call.bytes(body)
}

function target(name: string, text: string): { readonly url: URL; readonly authorization: string } {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new UsageError('the URL must be like https://user%40example.org:password@host/webapi/')
  const base = new URL(text)
  if (base.username === '' || base.password === '')
    throw new UsageError('the URL needs a login: https://user%40example.org:password@host/webapi/')
  let login: string
  try {
    login = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`
  } catch {
    throw new UsageError('the login in the URL is not encoded right; write % as %25')
  }
  const path = base.pathname.replace(/\/?$/, '/')
  return {
    url: new URL(`${path}${path.endsWith('/v0/') ? '' : 'v0/'}${name}`, base.origin),
    authorization: `Basic ${Buffer.from(login).toString('base64')}`,
  }
}

async function limited(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  most: number,
  what: string,
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > most) throw new UsageError(`${what} has more than ${most} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** The error object of the API, or the start of whatever answered instead. */
function reason(body: Buffer, json: boolean): string {
  if (!json) return body.toString('utf8', 0, 200)
  const { Code, Message } = JSON.parse(body.toString()) as { Code?: unknown; Message?: unknown }
  return `${String(Code)}: ${String(Message)}`
}
