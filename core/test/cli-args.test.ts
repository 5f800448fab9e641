import { expect, test } from 'vitest'
import {
  DEFAULT_LIMIT,
  LIMIT_MAXIMUM,
  matchCommand,
  parseWords,
  takeConfig,
  unknownCommand,
  usage,
} from '../src/cli/args.ts'
import type { CommandInfo } from '../src/cli/types.ts'

const add: CommandInfo = {
  path: ['account', 'add'],
  summary: '',
  arguments: [
    { name: 'NAME', help: 'its name' },
    { name: 'ADDRESS', help: 'its addresses', rest: true, required: false },
  ],
  flags: [
    { name: 'quota', type: 'number', help: '' },
    { name: 'full-name', type: 'string', help: '' },
    { name: 'disabled', type: 'boolean', help: '' },
  ],
  offline: true,
}
const password: CommandInfo = {
  path: ['account', 'password'],
  summary: '',
  arguments: [
    { name: 'NAME', help: 'its name' },
    { name: 'PASSWORD', help: 'the new one' },
  ],
  offline: false,
  secret: ['PASSWORD'],
}
const print: CommandInfo = {
  path: ['queue', 'retired', 'print'],
  summary: '',
  arguments: [{ name: 'ID', help: 'queue id' }],
  offline: true,
}
const list: CommandInfo = { path: ['queue', 'list'], summary: '', offline: true }
const retired: CommandInfo = { path: ['queue', 'retired', 'list'], summary: '', offline: true }
const commands = [add, password, print, list, retired]

type Parsed = { args: string[]; flags?: Record<string, unknown>; limit?: number; help?: boolean }

test.each<[CommandInfo, string, Parsed | string]>([
  [list, '', { args: [] }],
  [list, '--json --limit 5', { args: [], flags: { json: true, limit: 5 }, limit: 5 }],
  [list, `--limit=${LIMIT_MAXIMUM}`, { args: [], flags: { limit: LIMIT_MAXIMUM }, limit: LIMIT_MAXIMUM }],
  [
    list,
    `--limit=${LIMIT_MAXIMUM + 1}`,
    `mox queue list: --limit ${LIMIT_MAXIMUM + 1} must be a whole number from 1 to ${LIMIT_MAXIMUM}`,
  ],
  [list, '--limit 0', 'mox queue list: --limit 0 must be a whole number from 1 to 10000'],
  [list, '--limit 1e3', 'mox queue list: --limit "1e3" is not a number, such as --limit 10'],
  [list, '--limit', 'mox queue list: --limit needs a value, such as --limit 10'],
  [list, '--limit --json', 'mox queue list: --limit needs a value, such as --limit 10'],
  [list, '--lmit 5', 'mox queue list: unknown flag --lmit; did you mean "--limit"?'],
  [list, '--zzz', 'mox queue list: unknown flag --zzz; see mox queue list --help'],
  [list, '-n 5', 'mox queue list: unknown flag -n; flags have two dashes, see mox queue list --help'],
  [list, 'x', 'mox queue list: "x" is one argument too many; it takes none'],
  [list, '--json=false', { args: [], flags: { json: false } }],
  [list, '--json=no', 'mox queue list: --json=no: write --json, --json=true or --json=false'],
  [list, '--help', { args: [], help: true }],
  [print, '-h', { args: [], help: true }],
  [print, '', 'mox queue retired print: ID is missing: queue id; usage: mox queue retired print ID'],
  [print, '7 8', 'mox queue retired print: "8" is one argument too many; it takes ID'],
  [print, '-1', { args: ['-1'] }],
  [
    add,
    'bob --quota 12.5 a@x b@x --full-name=B=b --disabled',
    { args: ['bob', 'a@x', 'b@x'], flags: { quota: 12.5, 'full-name': 'B=b', disabled: true } },
  ],
  [add, 'bob -- --quota', { args: ['bob', '--quota'] }],
  [
    add,
    '',
    'mox account add: NAME is missing: its name; usage: mox account add NAME [ADDRESS…] [--quota N] [--full-name TEXT] [--disabled]',
  ],
  [password, 'bob', { args: ['bob'] }],
  [password, 'bob -', { args: ['bob', '-'] }],
])('%# %j', (command, line, expected) => {
  const parse = (): Parsed => {
    const { input, help } = parseWords(command, line === '' ? [] : line.split(' '))
    return { args: [...input.arguments], flags: Object.fromEntries(input.flags), limit: input.limit, help }
  }
  if (typeof expected === 'string') expect(parse).toThrow(expected)
  else expect(parse()).toEqual({ flags: {}, limit: DEFAULT_LIMIT, help: false, ...expected })
})

test('the longest path wins', () => {
  expect(matchCommand(['queue', 'retired', 'print', '7'], commands)).toEqual({ command: print, rest: ['7'] })
  expect(matchCommand(['queue', 'list', '--json'], commands)).toEqual({ command: list, rest: ['--json'] })
  expect(matchCommand(['queue'], commands)).toBeUndefined()
})

test.each([
  ['quue list', 'unknown command "quue"; did you mean "queue"?'],
  ['zzz', 'unknown command "zzz"; see mox help'],
  ['queue lst', 'mox queue has no "lst"; did you mean "list"?'],
  ['queue zzz', 'mox queue has no "zzz"; there are list, retired'],
  ['queue', 'mox queue needs one of: list, retired'],
  ['queue --json', 'mox queue needs one of: list, retired'],
  ['queue retired', 'mox queue retired needs one of: list, print'],
  ['queue retired prin 7', 'mox queue retired has no "prin"; did you mean "print"?'],
])('%s', (line, expected) => {
  expect(unknownCommand(line.split(' '), commands).message).toBe(expected)
})

test.each([
  [['queue', '--config', 'a.ts', 'list'], 'a.ts', ['queue', 'list']],
  [['--config=b.ts', 'queue'], 'b.ts', ['queue']],
  [['account', 'add', '--', '--config', 'x'], undefined, ['account', 'add', '--', '--config', 'x']],
])('%j', (argv, config, words) => {
  expect(takeConfig(argv)).toEqual({ config, words })
})

test('--config without a path', () => {
  expect(() => takeConfig(['queue', '--config'])).toThrow('--config needs the path of a config file')
})

test('usage', () => {
  expect(usage(password)).toBe('mox account password NAME [PASSWORD]')
})
