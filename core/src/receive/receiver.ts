// receiver@1: opens sessions for whoever listens, and replays what the queue has for our own users.
import type { Receiver, SessionInfo, SmtpReply } from '@mox/plugin-sdk'
import type { StageDeps } from '../stages.ts'
import { replay } from './replay.ts'
import { newScope } from './scope.ts'
import { Session } from './session.ts'

export interface Opened {
  readonly session: Session
  readonly reply?: SmtpReply
}

/** A session after onReceive.connect; closed already when that sends the peer away. */
export async function openSession(
  deps: StageDeps,
  info: SessionInfo,
  signal: AbortSignal,
  replayed: boolean = false,
): Promise<Opened> {
  const session = new Session(deps, info, newScope(signal), replayed)
  const reply = await session.connect()
  if (reply === undefined) return { session }
  session.close()
  return { session, reply }
}

export function makeReceiver(deps: StageDeps): Receiver {
  return {
    open: (info, signal) => openSession(deps, info, signal),
    replay: (batch, options) => replay(deps, batch, options),
  }
}
