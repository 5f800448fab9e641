// What goes wrong inside the client: thrown by the parts, told as answers by the session.
import type { ServerReply } from '@mox/plugin-sdk/mail'
import type { Answer, FailureKind, TlsProblem } from './types.ts'

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly kind: FailureKind
  readonly code: number
  readonly enhanced: string
  readonly problem: TlsProblem | undefined

  constructor(
    kind: FailureKind,
    text: string,
    more: {
      readonly code?: number
      readonly enhanced?: string
      readonly problem?: TlsProblem
      readonly cause?: unknown
    } = {},
  ) {
    super(text, more.cause === undefined ? undefined : { cause: more.cause })
    this.kind = kind
    this.code = more.code ?? 0
    this.enhanced = more.enhanced ?? ''
    this.problem = more.problem
  }
}

/** Decided by us; `code` and `enhanced` are what we would answer. */
export function local(code: number, enhanced: string, text: string): Failure {
  return new Failure('local', text, { code, enhanced })
}

/** The server's refusal; what is no refusal where only one could come is no SMTP. */
export function refusal(reply: ServerReply, command: string): Failure {
  if (reply.code < 400) return new Failure('protocol', `${reply.code} is no answer to ${command}: ${reply.text}`)
  return new Failure('reply', reply.text, reply)
}

export function answerOf(failure: Failure, stage: Answer['stage']): Answer {
  return { stage, code: failure.code, enhanced: failure.enhanced, text: failure.message }
}
