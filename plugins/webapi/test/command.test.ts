// `mox webapi`: list, explain, call; against the real server.
import assert from 'node:assert/strict'
import { UsageError } from '@mox/plugin-sdk'
import { afterAll, beforeAll, test } from 'vitest'
import { MAX_INPUT, MAX_OUTPUT, runWebapi } from '../src/command.ts'
import { METHODS } from '../src/v0/methods.ts'
import { type Api, openApi } from './support/api.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  await api.close()
})

interface Ran {
  readonly out: string
  /** Commands that went to the server. */
  readonly sent: readonly (readonly [words: readonly string[], config: string | undefined])[]
}

async function run(
  argv: readonly string[],
  stdin: Iterable<Buffer> = [],
  answer: typeof fetch = (...args) => fetch(...args),
): Promise<Ran> {
  let out = ''
  const print = (text: string): void => {
    out += text
  }
  const sent: [readonly string[], string | undefined][] = []
  async function* input() {
    yield* stdin
  }
  await runWebapi(
    argv,
    { command: async (words, config) => void sent.push([words, config]), stdout: print },
    { stdin: input, bytes: bytes => print(bytes.toString()), fetch: answer },
  )
  return { out, sent }
}
const url = (login = 'alice%40example.org:correct%20horse%20battery', path = '/webapi/') =>
  `http://${login}@127.0.0.1:${api.port()}${path}`

test('methods, and an example of one', async () => {
  const names = (await run([])).out.trim().split('\n')
  assert.deepEqual(
    names.map(line => line.split(' ')[0]),
    METHODS.map(({ name }) => name),
  )
  const { out } = await run(['SuppressionPresent'])
  assert.match(
    out,
    /Request:\n\{\n {2}"EmailAddress": "ann@example\.org"\n\}\n\nResponse:\n\{\n {2}"Present": true\n\}/,
  )
  assert.match((await run(['--help'])).out, /^mox webapi METHOD URL/m)
})

test('a call', async () => {
  const request = Buffer.from('{"To":[{"Address":"ann@example.net"}],"Text":"Hi"}')
  const before = await api.world.queued()
  for (const path of ['/webapi/', '/webapi', '/webapi/v0/']) {
    const { out } = await run(['Send', url(undefined, path)], [request.subarray(0, 9), request.subarray(9)])
    assert.equal(JSON.parse(out).Submissions[0].Address, 'ann@example.net')
  }
  assert.equal(await api.world.queued(), before + 3)
})

test('API keys are the server’s business', async () => {
  assert.deepEqual((await run(['key', 'list', 'alice'])).sent, [[['webapi', 'key', 'list', 'alice'], undefined]])
  assert.deepEqual((await run(['key', 'list', '--config', 'x.ts'])).sent, [[['webapi', 'key', 'list'], 'x.ts']])
})

test('mistakes', async () => {
  const check = async (expected: RegExp, argv: readonly string[], stdin = '{}', answer?: typeof fetch) => {
    await assert.rejects(
      run(argv, [Buffer.from(stdin)], answer),
      error => error instanceof UsageError && expected.test(error.message),
      String(expected),
    )
  }
  await check(/no method "send"/, ['send'])
  await check(/takes a method and a URL/, ['Send', url(), 'more'])
  await check(/--colour/, ['--colour'])
  await check(/must be like https:/, ['Send', 'localhost:1080'])
  await check(/must be like https:/, ['Send', 'ftp://a:b@localhost/'])
  await check(/needs a login/, ['Send', 'http://localhost/webapi/'])
  await check(/write % as %25/, ['Send', 'http://a%zz:b@localhost/webapi/'])
  await check(/request as JSON/, ['Send', url()], '')
  await check(/^status 401: /, ['Send', url('alice%40example.org:wrong')])
  await check(/^status 400: noRecipients: /, ['Send', url()], '{"Text":"x"}')
  await check(/^status 404: /, ['Send', url(undefined, '/webapi/other/')])
  const broken = async () => await Promise.reject(new TypeError('fetch failed', { cause: new Error('no route') }))
  await check(/^http:\/\/127\.0\.0\.1:\d+ could not be called: no route$/, ['Send', url()], '{}', broken)
  const huge = async () => new Response(new Blob([new Uint8Array(MAX_OUTPUT), new Uint8Array(1)]))
  await check(/the response has more than/, ['MessageRawGet', url()], '{}', huge)
  const padded = (size: number) => [Buffer.alloc(size, ' '), Buffer.from('{}')]
  const ok = async () => Response.json({})
  assert.equal((await run(['Send', url()], padded(MAX_INPUT - 2), ok)).out, '{}\n')
  await assert.rejects(run(['Send', url()], padded(MAX_INPUT - 1), ok), /the request has more than/)
})
