// The command line's end of the control socket.
import { createConnection, type Socket } from 'node:net'
import { type CommandResult, UsageError } from '@mox/plugin-sdk'
import { ANSWER_LIMIT, encodeFrame, FrameReader, PROTOCOL } from './frames.ts'
import type { CommandInfo, CommandSource } from './types.ts'

/** Undefined when nobody listens there. Throws a UsageError when the socket may not be opened. */
export async function connectControl(path: string): Promise<CommandSource | undefined> {
  const socket = await connect(path)
  if (socket === undefined) return undefined
  const ask = asker(socket)
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
      return result as CommandResult
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

type Ask = (request: object) => Promise<Record<string, unknown>>

/** One request at a time. */
function asker(socket: Socket): Ask {
  const reader = new FrameReader(ANSWER_LIMIT)
  let waiting: { resolve(frame: Record<string, unknown>): void; reject(error: Error): void } | undefined
  const fail = (error: Error): void => {
    waiting?.reject(error)
    waiting = undefined
    socket.destroy()
  }
  socket.on('data', chunk => {
    try {
      for (const frame of reader.push(chunk)) {
        waiting?.resolve(frame)
        waiting = undefined
      }
    } catch (error) {
      fail(error as Error)
    }
  })
  socket.on('error', error => fail(error))
  socket.on('close', () => fail(new Error('the server ended the connection before it answered')))
  return async request => {
    const frame = await new Promise<Record<string, unknown>>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error('the server ended the connection'))
      waiting = { resolve, reject }
      socket.write(encodeFrame(request))
    })
    if (typeof frame['error'] === 'string')
      throw frame['usage'] === true ? new UsageError(frame['error']) : new RemoteError(frame['error'])
    if (frame['mox'] !== PROTOCOL)
      throw new RemoteError('the running server is of another version; restart it, or use its version of mox')
    return frame
  }
}

/** The server's message is complete; where in this process it arrived is of no interest. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
}
