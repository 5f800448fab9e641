// A transport that fails every delivery with a configured reply: for domains that mail must not go to.
import type { Transport } from '@mox/plugin-sdk'
import { resultOf } from './outcome.ts'

export interface FailOptions {
  /** 400–599. */
  readonly code: number
  readonly message: string
}

export function failTransport(name: string, { code, message }: FailOptions): Transport {
  const permanent = code >= 500
  const answer = {
    kind: 'reply',
    stage: 'policy',
    code,
    enhanced: permanent ? '5.7.0' : '4.7.0',
    text: message,
  } as const
  return {
    name,
    deliver: async ({ jobs }) => jobs.map(({ id }) => resultOf(id, answer, permanent ? 'permanent' : 'retry', {})),
  }
}
