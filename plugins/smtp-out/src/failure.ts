// What went wrong on the way to a server, in the same terms as a server's answer, so that one place decides what it means.
import type { AttemptStage } from '@mox/plugin-sdk'
import type { Answer, ClientError, FailureKind } from './client/types.ts'

export interface Failure extends Answer {
  readonly kind: FailureKind
}

/** We decided: `code` 5yz means that this host never will do, 0 that it may later. */
export function local(stage: AttemptStage, code: number, enhanced: string, text: string): Failure {
  return { kind: 'local', stage, code, enhanced, text }
}

/** Something did not work this time. */
export function trouble(stage: AttemptStage, enhanced: string, text: string): Failure {
  return { kind: 'io', stage, code: 0, enhanced, text }
}

export function fromClient(error: ClientError): Failure {
  return { kind: error.kind, ...error.answer }
}

/** The message of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
