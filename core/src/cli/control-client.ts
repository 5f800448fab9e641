// The command line's end of the control socket.
import { createConnection, type Socket } from 'node:net'
import { type CommandResult, UsageError } from '@mox/plugin-sdk'
import { ANSWER_LIMIT, encodeFrame, FrameReader, PROTOCOL } from './frames.ts'
import type { CommandInfo, CommandSource } from './types.ts'

/** It stops, or too many commands run at the same time. */
const GONE = 'the server ended the connection before it answered; try again'

/** Undefined when nobody listens there. Throws a UsageError when the socket may not be opened. */
export async function connectControl(path: string): Promise<CommandSource | undefined> {
  const socket = await connect(path)
  if (socket === undefined) return undefined
  const { ask, next } = asker(socket)
  return {
    list: async () => {
      const { commands } = await ask({ op: 'list' })
      if (!Array.isArray(commands)) throw new Error('the server answered something else than a list of commands')
      return commands as CommandInfo[]
    },
    run: async (command, input) => {
      const request = {
        op: 'run',
        path: command.path,
        arguments: input.arguments,
        flags: [...input.flags],
        limit: input.limit,
      }
      const { result } = await ask(request)
      if (typeof result !== 'object' || result === null)
        throw new Error('the server answered something else than a result')
      const answer = result as CommandResult
      return answer.kind === 'bytes' ? { kind: 'bytes', chunks: bytesOf(next) } : answer
    },
    close: async () => {
      socket.destroy()
    },
  }
}

async function connect(path: string): Promise<Socket | undefined> {
  return await new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM')
        reject(
          new UsageError(`no permission for ${path}; run this command as the user that runs the server, or as root`),
        )
      else resolve(undefined)
    })
  })
}

/** Frames that wait to be read before the server has to wait too. */
const WAITING_FRAMES = 16

type Frame = Record<string, unknown>

interface Asker {
  /** One request at a time: the first frame of its answer. */
  ask(request: object): Promise<Frame>
  /** The frame after that. */
  next(): Promise<Frame>
}

async function* bytesOf(next: Asker['next']): AsyncIterable<Buffer> {
  for (;;) {
    const { chunk, end } = await next()
    if (end === true) return
    if (typeof chunk !== 'string') throw new Error('the server answered something else than bytes')
    yield Buffer.from(chunk, 'base64')
  }
}

function asker(socket: Socket): Asker {
  const reader = new FrameReader(ANSWER_LIMIT)
  const arrived: Frame[] = []
  let failure: Error | undefined
  let waiting: { resolve(frame: Frame): void; reject(error: Error): void } | undefined
  const fail = (error: Error): void => {
    failure ??= error
    waiting?.reject(failure)
    waiting = undefined
    socket.destroy()
  }
  socket.on('data', chunk => {
    try {
      for (const frame of reader.push(chunk)) {
        if (waiting === undefined) arrived.push(frame)
        else waiting.resolve(frame)
        waiting = undefined
      }
      if (arrived.length > WAITING_FRAMES) socket.pause()
    } catch (error) {
      fail(error as Error)
    }
  })
  socket.on('error', (error: NodeJS.ErrnoException) =>
    fail(error.code === 'EPIPE' || error.code === 'ECONNRESET' ? new RemoteError(GONE) : error),
  )
  socket.on('close', () => fail(new RemoteError(GONE)))
  const next = async (): Promise<Frame> => {
    const frame =
      arrived.shift() ??
      (await new Promise<Frame>((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        waiting = { resolve, reject }
        socket.resume()
      }))
    if (typeof frame['error'] === 'string')
      throw frame['usage'] === true ? new UsageError(frame['error']) : new RemoteError(frame['error'])
    if (frame['mox'] !== PROTOCOL)
      throw new RemoteError('the running server is of another version; restart it, or use its version of mox')
    return frame
  }
  return {
    next,
    ask: async request => {
      if (socket.destroyed) throw new RemoteError(GONE)
      const answer = next()
      socket.write(encodeFrame(request))
      return await answer
    },
  }
}

/** The server's message is complete; where in this process it arrived is of no interest. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
}
