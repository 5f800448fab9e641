// POST /messages/batch: one message for many, with variables; each is sent or refused on its own. With an Idempotency-Key
// every message has its own part of it, so that a repeated batch goes on where the first one stopped.
import { type Endpoint, endpoint } from './endpoint.ts'
import { idempotencyKey } from './idempotency.ts'
import { Problem, type ProblemDetails, problemOf } from './problem.ts'
import * as schemas from './schemas.ts'
import { type SendParts, type SendResponse, sendOnce } from './send.ts'
import { fill, variablesOf } from './template.ts'

/** Messages of one batch that are composed at the same time. */
const PARALLEL = 8

type Result = { status: 'accepted'; message: SendResponse } | { status: 'rejected'; error: ProblemDetails }

export function batchEndpoint(parts: SendParts, failed: (error: unknown) => void): Endpoint {
  return endpoint('POST /messages/batch', 'sendBatch', {
    summary:
      'Send one message to many recipients, each with variables of its own. Tells for each whether it was taken.',
    permission: 'send',
    body: schemas.batchRequest,
    response: schemas.batchResponse,
    idempotent: true,
    run: async ({ caller, body, ctx, fingerprint }) => {
      const { message, messages } = body
      const key = idempotencyKey(ctx.get('Idempotency-Key'))
      const print = key === undefined ? '' : fingerprint()
      const results: Result[] = []
      const one = async (index: number): Promise<Result> => {
        const { to, variables, extra } = messages[index]!
        try {
          const filled = fill({ ...message, to, extra: { ...message.extra, ...extra } }, variablesOf(variables))
          const own = key && { account: caller.account, key: `batch ${index} ${key}`, fingerprint: print }
          return { status: 'accepted', message: (await sendOnce(parts, caller, filled, own)).response }
        } catch (error) {
          return { status: 'rejected', error: detailsOf(error, failed) }
        }
      }
      // The first alone: a key that belongs to another batch refuses this one as a whole.
      results[0] = await one(0)
      if (key !== undefined && results[0].status === 'rejected' && results[0].error.code === 'conflict')
        throw new Problem('conflict', results[0].error.detail)
      let next = 1
      const work = async (): Promise<void> => {
        for (let index = next++; index < messages.length; index = next++) results[index] = await one(index)
      }
      await Promise.all(Array.from({ length: PARALLEL }, work))
      const accepted = results.filter(result => result.status === 'accepted').length
      return { body: { accepted, rejected: results.length - accepted, results } }
    },
  })
}

function detailsOf(error: unknown, failed: (error: unknown) => void): ProblemDetails {
  const known = problemOf(error)
  if (known !== undefined) return known.details
  failed(error)
  return new Problem('server', 'something went wrong on our side').details
}
