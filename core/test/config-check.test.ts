import { join, resolve } from 'node:path'
import { clock, definePlugin, didYouMean, nearest } from '@mox/plugin-sdk'
import { expect, test } from 'vitest'
import {
  CONCURRENCY_LIMIT,
  checkConfig,
  KEEP_DAYS_LIMIT,
  RETRIES_LIMIT,
  RETRY_WAIT_LIMIT,
} from '../src/config/check.ts'
import { explainConfig, formatSettings } from '../src/config/explain.ts'
import { resolveConfig } from '../src/config/resolve.ts'

const plain = definePlugin({ name: 'plain', needs: { clock }, setup: () => ({}) })
const good = { hostname: 'mail.example.org', plugins: [] as unknown[] }
const queue = (value: object): object => ({ ...good, queue: value })

test.each<[unknown, string[]]>([
  [good, []],
  [{ ...good, plugins: [plain(), false, null, undefined, '', 0, plain().as('two')] }, []],
  [{ ...good, hostname: 'localhost', user: 'mox', log: { level: 'trace', format: 'json' }, dataDir: '/x' }, []],
  [{ ...good, hostname: 'bücher.example', user: '1000' }, []],
  [undefined, ['the file does not export a config; write: export default defineConfig({ hostname: …, plugins: […] })']],
  [[], ['the file does not export a config; write: export default defineConfig({ hostname: …, plugins: […] })']],
  [
    {},
    [
      'hostname: is missing; set it to the full name of this machine, such as "mail.example.org"',
      'plugins: is missing; list the plugins to use, such as [storageSqlite()]',
    ],
  ],
  [
    { ...good, hostname: 'mail' },
    ['hostname: "mail" must be the full name of this machine, such as "mail.example.org", without a dot at the end'],
  ],
  [
    { ...good, hostname: 'mail.example.org.' },
    [
      'hostname: "mail.example.org." must be the full name of this machine, such as "mail.example.org", without a dot at the end',
    ],
  ],
  [
    { ...good, hostname: '[127.0.0.1]' },
    [
      'hostname: "[127.0.0.1]" must be the full name of this machine, such as "mail.example.org", without a dot at the end',
    ],
  ],
  [
    { ...good, hostname: 7 },
    ['hostname: 7 must be the full name of this machine, such as "mail.example.org", without a dot at the end'],
  ],
  [{ ...good, dataDir: '' }, ['dataDir: "" must be the path of a directory']],
  [{ ...good, dataDir: 'a\0b' }, ['dataDir: "a\\u0000b" must be the path of a directory']],
  [{ ...good, user: '-g' }, ['user: "-g" must be the name of a user or a number in quotes']],
  [{ ...good, user: 1000 }, ['user: 1000 must be the name of a user or a number in quotes']],
  [
    { ...good, hostnmae: 'x', zzzzzz: 1 },
    [
      'hostnmae: is not an option; did you mean "hostname"?',
      'zzzzzz: is not an option; there are hostname, dataDir, user, log, queue, hooks, plugins',
    ],
  ],
  [{ ...good, log: 'debug' }, ['log: "debug" must be an object with level, format']],
  [
    { ...good, log: { level: 'loud', fromat: 1 } },
    [
      'log.fromat: is not an option; did you mean "format"?',
      'log.level: "loud" must be one of trace, debug, info, warn, error',
    ],
  ],
  [
    queue({
      concurrency: 1,
      concurrencyPerDomain: CONCURRENCY_LIMIT,
      keepRetiredDays: 0,
      paused: true,
      retrySchedule: [],
    }),
    [],
  ],
  [queue({ concurrency: 0 }), [`queue.concurrency: 0 must be a whole number from 1 to ${CONCURRENCY_LIMIT}`]],
  [
    queue({ concurrency: CONCURRENCY_LIMIT + 1 }),
    [`queue.concurrency: ${CONCURRENCY_LIMIT + 1} must be a whole number from 1 to ${CONCURRENCY_LIMIT}`],
  ],
  [
    queue({ concurrencyPerDomain: 1.5 }),
    [`queue.concurrencyPerDomain: 1.5 must be a whole number from 1 to ${CONCURRENCY_LIMIT}`],
  ],
  [queue({ keepRetiredDays: KEEP_DAYS_LIMIT }), []],
  [
    queue({ keepRetiredDays: KEEP_DAYS_LIMIT + 1 }),
    [`queue.keepRetiredDays: ${KEEP_DAYS_LIMIT + 1} must be a whole number from 0 to ${KEEP_DAYS_LIMIT}`],
  ],
  [queue({ paused: 'yes' }), ['queue.paused: "yes" must be true or false']],
  [queue({ retrySchedule: [RETRY_WAIT_LIMIT] }), []],
  [queue({ retrySchedule: Array(RETRIES_LIMIT).fill(60) }), []],
  [
    queue({ retrySchedule: [0] }),
    [expect.stringContaining('queue.retrySchedule: [0] must be a list of at most 100 whole numbers of seconds')],
  ],
  [queue({ retrySchedule: [RETRY_WAIT_LIMIT + 1] }), [expect.stringContaining('queue.retrySchedule: ')]],
  [queue({ retrySchedule: Array(RETRIES_LIMIT + 1).fill(60) }), [expect.stringContaining('queue.retrySchedule: ')]],
  [{ ...good, hooks: { order: { 'onReceive.rcpt': ['a'] }, onError: { a: { onQueue: 'pass' } } } }, []],
  [
    { ...good, hooks: { order: ['a'] } },
    ['hooks.order: ["a"] must be lists of plugin names by hook, such as { "onReceive.rcpt": ["my-policy"] }'],
  ],
  [
    { ...good, hooks: { onError: { a: 'pass' } } },
    [
      'hooks.onError: {"a":"pass"} must be verdicts by plugin and hook, such as { "my-policy": { "onReceive.rcpt": "pass" } }',
    ],
  ],
  [
    { ...good, plugins: plain() },
    [expect.stringMatching(/^plugins: \{"name":"plain".* must be a list, such as \[storageSqlite\(\)\]$/)],
  ],
  [
    { ...good, plugins: [plain, () => 1, { name: 'x' }, 'smtp-in'] },
    [
      'plugins[0]: is the plugin "plain" itself; call it with its options: plain({ … })',
      'plugins[1]: is a function; call it with its options: name({ … })',
      'plugins[2]: {"name":"x"} is not a plugin; use what a plugin\'s function returns, such as smtpIn({ … })',
      'plugins[3]: "smtp-in" is not a plugin; use what a plugin\'s function returns, such as smtpIn({ … })',
    ],
  ],
])('%j', (value, expected) => {
  expect(checkConfig(value)).toEqual(expected)
})

test('defaults, and paths relative to the file', () => {
  const config = resolveConfig(
    { ...good, hostname: 'Mail.Example.ORG', queue: { paused: true }, plugins: [plain(), false] },
    join('/etc', 'mox', 'mox.config.ts'),
  )
  expect(config).toMatchObject({
    hostname: 'mail.example.org',
    dataDir: resolve('/etc/mox/data'),
    log: { level: 'info', format: 'logfmt' },
    queue: {
      concurrency: 100,
      concurrencyPerDomain: 5,
      retrySchedule: [450, 900, 1800, 3600, 7200, 14_400, 28_800],
      keepRetiredDays: 7,
      paused: true,
    },
    hooks: { order: {}, onError: {} },
    plugins: [{ name: 'plain' }],
  })
  expect(config.defaults.has('queue.paused')).toBe(false)
  expect(config.defaults.has('queue.concurrency')).toBe(true)
  expect(resolveConfig({ ...good, dataDir: '/var/lib/mox' }, '/etc/mox.config.ts').dataDir).toBe(
    resolve('/var/lib/mox'),
  )
})

test('all problems are told at once', () => {
  expect(() => resolveConfig({ hostname: 'x', plugins: 1 }, '/a/mox.config.ts')).toThrow(
    /^\/a\/mox\.config\.ts\n {2}hostname: "x" .*\n {2}plugins: 1 must/,
  )
})

test.each([
  ['quue', 'queue'],
  ['QUEUE', 'queue'],
  ['uqeue', 'queue'],
  ['xyz', undefined],
  ['', undefined],
  ['q'.repeat(65), undefined],
])('nearest %j', (word, expected) => {
  expect(nearest(word, ['verify', 'queue', 'message'])).toBe(expected)
})

test('didYouMean', () => {
  expect(didYouMean('verfy', ['verify'])).toBe('; did you mean "verify"?')
  expect(didYouMean('other', ['verify'])).toBe('')
})

test('config show marks defaults and hides secrets', () => {
  const input = {
    listeners: { web: { port: 80 } },
    adminPassword: 'hunter2',
    list: [{ apiKey: 'k' }],
    url: 'https://u:p@host/x',
  }
  const schema = { parse: (v: unknown): Record<string, unknown> => ({ ...(v as object), hosts: ['a', 'b'] }) }
  const plugin = definePlugin({ name: 'demo', options: schema, setup: () => ({}) })(input).as('one')
  const config = resolveConfig({ ...good, plugins: [plugin, plain()] }, '/x/mox.config.ts')
  const settings = explainConfig(config, p => (p.spec.options as typeof schema | undefined)?.parse(p.input) ?? {})
  const text = formatSettings('/x/mox.config.ts', settings)
  expect(text).not.toMatch(/hunter2|u:p/)
  expect(text.split('\n').map(line => line.replace(/ {2,}/g, '  '))).toEqual([
    '# /x/mox.config.ts',
    'hostname  mail.example.org',
    'dataDir  /x/data  (default)',
    'log.level  info  (default)',
    'log.format  logfmt  (default)',
    'queue.concurrency  100  (default)',
    'queue.concurrencyPerDomain  5  (default)',
    'queue.retrySchedule  [450,900,1800,3600,7200,14400,28800]  (default)',
    'queue.keepRetiredDays  7  (default)',
    'queue.paused  false  (default)',
    'hooks.order  {}  (default)',
    'hooks.onError  {}  (default)',
    'demo/one.listeners.web.port  80',
    'demo/one.adminPassword  ***',
    'demo/one.list[0].apiKey  ***',
    'demo/one.url  https://***@host/x',
    'demo/one.hosts  ["a","b"]  (default)',
    'plain  {}',
    '',
  ])
})
