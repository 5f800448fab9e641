// The server's end of the control socket. Whoever may open the socket (its owner) may run commands. Opened before
// anything else starts, so that two servers never use one data directory; until attach() it answers that the server is
// starting.
import { chmod, chown } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { type Command, type CommandResult, type Log, UsageError } from '@mox/plugin-sdk'
import { messageOf } from '../base/log.ts'
import { version } from '../base/version.ts'
import { DEFAULT_LIMIT } from './args.ts'
import { encodeFrame, FrameError, FrameReader, PROTOCOL, REQUEST_LIMIT } from './frames.ts'
import { findSocket, placeSocket, removeSocket } from './socket-path.ts'
import type { CommandInfo } from './types.ts'

/** Connections at the same time. */
export const CONNECTION_LIMIT = 32
/** Milliseconds that a client may take for a request. */
export const REQUEST_TIMEOUT = 60_000

export interface ControlServer {
  readonly path: string
  /** Commands to run from now on; undefined while there are none. */
  attach(commands: readonly Command[] | undefined): void
  /** Hands the socket to the user that the server becomes. */
  giveTo(uid: number, gid: number): Promise<void>
  close(): Promise<void>
}

/** Throws a UsageError when another server uses the data directory. */
export async function openControl(dataDir: string, log: Log): Promise<ControlServer> {
  const earlier = await findSocket(dataDir)
  if (earlier !== undefined) {
    if (await answers(earlier))
      throw new UsageError(`another server is running for ${dataDir}; stop it, or use another dataDir`)
    await removeSocket(dataDir, earlier)
  }
  const path = await placeSocket(dataDir)
  let commands: readonly Command[] | undefined
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serveClient(socket, () => commands, log)
  })
  server.maxConnections = CONNECTION_LIMIT
  await listen(server, path)
  if (process.platform !== 'win32') await chmod(path, 0o600)
  return {
    path,
    attach: given => {
      commands = given
    },
    giveTo: async (uid, gid) => {
      if (process.platform !== 'win32') await chown(path, uid, gid)
    },
    close: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
      await removeSocket(dataDir, path)
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(new UsageError(`cannot make the control socket ${path}: ${error.message}`)))
    server.listen(path, () => resolve())
  })
}

async function answers(path: string): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function serveClient(socket: Socket, commands: () => readonly Command[] | undefined, log: Log): void {
  const reader = new FrameReader(REQUEST_LIMIT)
  let queue: Promise<void> = Promise.resolve()
  socket.setTimeout(REQUEST_TIMEOUT, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    try {
      for (const frame of reader.push(chunk))
        queue = queue.then(async () => {
          // A command may take longer than a request.
          socket.setTimeout(0)
          const answer = await answerTo(frame, commands(), log)
          if (socket.writable) socket.write(encodeFrame(answer))
          if ('result' in answer && answer.result.kind === 'bytes') await sendBytes(socket, answer.result.chunks, log)
          socket.setTimeout(REQUEST_TIMEOUT)
        })
    } catch (error) {
      socket.removeAllListeners('data')
      const reason = error instanceof FrameError ? error.message : 'a bad frame'
      socket.end(encodeFrame({ error: `the control socket got ${reason}`, usage: false }))
    }
  })
}

/** As fast as the client reads; ends when it goes away. */
async function sendBytes(socket: Socket, chunks: AsyncIterable<Buffer>, log: Log): Promise<void> {
  const send = async (frame: object): Promise<void> => {
    if (socket.writable && !socket.write(encodeFrame(frame))) await drained(socket)
  }
  try {
    for await (const chunk of chunks) {
      if (!socket.writable) return
      await send({ chunk: chunk.toString('base64') })
    }
    await send({ end: true })
  } catch (error) {
    log.error({ err: error }, 'the bytes of an answer could not be read')
    await send(refuse(`the rest could not be read: ${messageOf(error)}`))
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

type Answer =
  | { readonly version: string; readonly commands: readonly CommandInfo[] }
  | { readonly result: CommandResult }
  | { readonly error: string; readonly usage: boolean }

async function answerTo(
  frame: Record<string, unknown>,
  commands: readonly Command[] | undefined,
  log: Log,
): Promise<Answer> {
  if (frame['mox'] !== PROTOCOL)
    return refuse(`the server is version ${version()} and speaks another control protocol; use the same version of mox`)
  if (commands === undefined) return refuse('the server is starting or stopping; try again')
  if (frame['op'] === 'list') return { version: version(), commands: commands.map(({ run: _, ...info }) => info) }
  if (frame['op'] !== 'run') return refuse('the control socket knows the requests list and run')
  const { path, arguments: args, flags, limit } = frame
  const command = isTexts(path) ? commands.find(c => c.path.join(' ') === path.join(' ')) : undefined
  if (command === undefined || !isTexts(args) || !isFlags(flags)) return refuse('the server has no such command')
  try {
    const rows = typeof limit === 'number' && Number.isInteger(limit) && limit > 0 ? limit : DEFAULT_LIMIT
    return { result: await command.run({ arguments: args, flags: new Map(flags), limit: rows }) }
  } catch (error) {
    if (error instanceof Error && error.name === 'UsageError') return { error: error.message, usage: true }
    log.error({ command: command.path.join(' '), err: error }, 'command failed')
    return refuse(`mox ${command.path.join(' ')} failed: ${messageOf(error)}`)
  }
}

const refuse = (error: string): Answer => ({ error, usage: false })

const isTexts = (v: unknown): v is string[] => Array.isArray(v) && v.every(text => typeof text === 'string')

function isFlags(v: unknown): v is [string, string | number | boolean][] {
  return (
    Array.isArray(v) &&
    v.every(
      entry =>
        Array.isArray(entry) &&
        entry.length === 2 &&
        typeof entry[0] === 'string' &&
        ['string', 'number', 'boolean'].includes(typeof entry[1]),
    )
  )
}
