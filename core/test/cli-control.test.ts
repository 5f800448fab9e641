import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Command, type Log, UsageError } from '@mox/plugin-sdk'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectControl } from '../src/cli/control-client.ts'
import { CONNECTION_LIMIT, openControl } from '../src/cli/control-server.ts'
import { encodeFrame, FrameReader, REQUEST_LIMIT } from '../src/cli/frames.ts'
import { findSocket, PATH_LIMIT } from '../src/cli/socket-path.ts'

const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const echo: Command = {
  path: ['echo'],
  summary: 'says it again',
  offline: false,
  run: async input => ({
    kind: 'value',
    value: { arguments: input.arguments, flags: [...input.flags], limit: input.limit },
  }),
}
const failing = (path: string, error: Error): Command => ({
  path: [path],
  summary: '',
  offline: false,
  run: async () => {
    throw error
  },
})
async function* megabytes(count: number, broken: boolean): AsyncIterable<Buffer> {
  for (let n = 0; n < count; n++) for (let k = 0; k < 16; k++) yield Buffer.alloc(65_536, n)
  if (broken) throw new Error('the disk is gone')
}
const dump: Command = {
  path: ['dump'],
  summary: '',
  offline: false,
  run: async ({ arguments: [count, broken] }) => ({
    kind: 'bytes',
    chunks: megabytes(Number(count), broken !== undefined),
  }),
}
const commands = [
  echo,
  failing('mistake', new UsageError('no such account')),
  failing('broken', new Error('disk full')),
  dump,
]

let dir: string
let closers: (() => Promise<void>)[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mox-control-'))
  closers = []
})
afterEach(async () => {
  for (const close of closers) await close()
  await rm(dir, { recursive: true, force: true })
})

async function open(dataDir = dir, attach = true): Promise<string> {
  const control = await openControl(dataDir, silent)
  if (attach) control.attach(commands)
  closers.push(() => control.close())
  return control.path
}

/** What the server says to these bytes before it ends the connection, or to the first frame. */
async function say(path: string, chunks: readonly (string | Buffer)[]): Promise<Record<string, unknown>> {
  const socket = createConnection(path)
  const reader = new FrameReader(REQUEST_LIMIT)
  try {
    return await new Promise((resolve, reject) => {
      socket.on('data', chunk => {
        for (const frame of reader.push(chunk)) resolve(frame)
      })
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('closed without an answer')))
      const next = (i: number): void => {
        if (i < chunks.length) socket.write(chunks[i]!, () => setImmediate(() => next(i + 1)))
      }
      next(0)
    })
  } finally {
    socket.destroy()
  }
}

test('commands run in the server', async () => {
  const source = await connectControl(await open())
  const [info, mistake, broken] = (await source?.list()) ?? []
  expect(info).toEqual({ path: ['echo'], summary: 'says it again', offline: false })
  const input = {
    arguments: ['a', 'ü\n'],
    flags: new Map<string, string | number | boolean>([
      ['json', true],
      ['n', 5],
    ]),
    limit: 7,
  }
  expect(await source?.run(info!, input)).toEqual({
    kind: 'value',
    value: {
      arguments: ['a', 'ü\n'],
      flags: [
        ['json', true],
        ['n', 5],
      ],
      limit: 7,
    },
  })
  await expect(source?.run(mistake!, input)).rejects.toMatchObject({ name: 'UsageError', message: 'no such account' })
  await expect(source?.run(broken!, input)).rejects.toMatchObject({
    name: 'RemoteError',
    message: 'mox broken failed: disk full',
  })
  await expect(source?.run({ path: ['gone'], summary: '', offline: true }, input)).rejects.toThrow(
    'the server has no such command',
  )
  await source?.close()
})

test('bytes arrive as they were, however slowly they are read', async () => {
  const source = await connectControl(await open())
  const info = { path: ['dump'], summary: '', offline: false }
  const ask = async (...words: string[]) => {
    const result = await source?.run(info, { arguments: words, flags: new Map(), limit: 1 })
    if (result?.kind !== 'bytes') throw new Error('no bytes')
    return result.chunks
  }
  let size = 0
  for await (const chunk of await ask('20')) {
    expect(chunk[0]).toBe(Math.floor(size / 2 ** 20))
    size += chunk.length
    if (size % 2 ** 20 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  expect(size).toBe(20 * 2 ** 20)
  const broken = (async () => {
    for await (const chunk of await ask('1', 'broken')) size -= chunk.length
  })()
  await expect(broken).rejects.toThrow('the rest could not be read: the disk is gone')
  expect(size).toBe(19 * 2 ** 20)
  // The connection is of use for more.
  expect(await source?.list()).toHaveLength(4)
  await source?.close()
})

test('a frame in pieces, two frames in one piece', async () => {
  const path = await open()
  expect(await say(path, ['{"mox":1,', '"op":"li', 'st"}', '\n'])).toMatchObject({
    mox: 1,
    commands: expect.any(Array),
  })
  const frame = encodeFrame({ op: 'list' })
  expect(await say(path, [frame + frame.slice(0, 5)])).toMatchObject({ commands: expect.any(Array) })
})

test.each<[string, RegExp]>([
  ['hello\n', /got a frame that is not JSON/],
  ['\n', /got a frame that is not JSON/],
  ['[1]\n', /got a frame that is no object/],
  ['null\n', /got a frame that is no object/],
  ['{}\n', /speaks another control protocol/],
  ['{"mox":2,"op":"list"}\n', /speaks another control protocol/],
  ['{"mox":1}\n', /knows the requests list and run/],
  ['{"mox":1,"op":"run"}\n', /has no such command/],
  ['{"mox":1,"op":"run","path":["echo"],"arguments":[1],"flags":[]}\n', /has no such command/],
  ['{"mox":1,"op":"run","path":["echo"],"arguments":[],"flags":[["x",{}]]}\n', /has no such command/],
  ['{"mox":1,"op":"run","path":"__proto__","arguments":[],"flags":[]}\n', /has no such command/],
])('%j', async (text, expected) => {
  expect((await say(await open(), [text]))['error']).toMatch(expected)
})

test('a request at the limit and one beyond', async () => {
  const path = await open()
  const request = (size: number): string => {
    const empty = encodeFrame({ op: 'list', fill: '' }).length - 1
    return encodeFrame({ op: 'list', fill: 'x'.repeat(size - empty) })
  }
  expect(request(REQUEST_LIMIT)).toHaveLength(REQUEST_LIMIT + 1)
  expect(await say(path, [request(REQUEST_LIMIT)])).toMatchObject({ commands: expect.any(Array) })
  expect((await say(path, [request(REQUEST_LIMIT + 1)]))['error']).toBe(
    `the control socket got a frame of more than ${REQUEST_LIMIT} bytes`,
  )
  expect((await say(path, [Buffer.alloc(REQUEST_LIMIT + 1, 'x')]))['error']).toMatch(/more than/)
})

test('before it is ready, and one server per data directory', async () => {
  const path = await open(dir, false)
  expect((await say(path, [encodeFrame({ op: 'list' })]))['error']).toBe(
    'the server is starting or stopping; try again',
  )
  await expect(openControl(dir, silent)).rejects.toThrow(
    `another server is running for ${dir}; stop it, or use another dataDir`,
  )
  if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('a stale socket is replaced; nobody there is not an error', async () => {
  const path = join(dir, 'mox.sock')
  await writeFile(path, '')
  expect(await connectControl(path)).toBeUndefined()
  expect(await connectControl(join(dir, 'none.sock'))).toBeUndefined()
  await open()
  const source = await connectControl(path)
  expect(await source?.list()).toHaveLength(4)
  await source?.close()
})

test('a long data directory has its socket elsewhere, and it is removed', async () => {
  const base = join(dir, 'x'.repeat(PATH_LIMIT))
  await mkdir(base)
  const control = await openControl(base, silent)
  control.attach(commands)
  expect(Buffer.byteLength(control.path)).toBeLessThanOrEqual(PATH_LIMIT)
  expect(await findSocket(base)).toBe(control.path)
  expect((await stat(dirname(control.path))).mode & 0o777).toBe(0o700)
  expect((await readFile(join(base, 'mox.sock.path'), 'utf8')).trim()).toBe(control.path)
  const source = await connectControl(control.path)
  expect(await source?.list()).toHaveLength(4)
  await source?.close()
  await control.close()
  await expect(stat(dirname(control.path))).rejects.toThrow('ENOENT')
  expect(await findSocket(base)).toBeUndefined()
})

test('a server that hangs up or talks nonsense', async () => {
  const path = join(dir, 'odd.sock')
  let answer: string | undefined
  const server = createServer(socket =>
    socket.on('data', () => (answer === undefined ? socket.destroy() : socket.write(answer))),
  )
  await new Promise<void>(resolve => server.listen(path, resolve))
  closers.push(() => new Promise(resolve => server.close(() => resolve())))
  for (const [text, expected] of [
    [undefined, 'the server ended the connection before it answered'],
    ['nonsense\n', 'a frame that is not JSON'],
    ['{"mox":9}\n', 'the running server is of another version'],
    ['{"mox":1}\n', 'something else than a list of commands'],
  ] as const) {
    answer = text
    const source = await connectControl(path)
    await expect(source?.list()).rejects.toThrow(expected)
    await source?.close()
  }
})

test('connections at the same time: one beyond the limit is closed', async () => {
  const control = await openControl(dir, silent)
  closers.push(() => control.close())
  control.attach(commands)
  const ask = async () => {
    const source = await connectControl(control.path)
    closers.unshift(async () => source?.close())
    return source?.list().then(
      list => list.length,
      (error: Error) => `${error.name}: ${error.message}`,
    )
  }
  for (let n = 0; n < CONNECTION_LIMIT; n++) expect(await ask()).toBe(4)
  expect(await ask()).toBe('RemoteError: the server ended the connection before it answered; try again')
})
