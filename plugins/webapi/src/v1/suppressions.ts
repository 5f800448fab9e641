// The account's suppression list. Entries of all accounts are the operator's: they count when a message is sent, and are not
// shown or changed here.
import type { Clock, SuppressionEntry, Suppressions } from '@mox/plugin-sdk'
import { parseAddress, parseDomain } from '@mox/plugin-sdk/mail'
import { ApiError } from '../send/error.ts'
import * as check from '../send/fields.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { defined, iso } from './messages.ts'
import { notEnabled, Problem } from './problem.ts'
import * as schemas from './schemas.ts'

const DEFAULT_PAGE = 100
const MAX_REASON = 1_000

export function suppressionEndpoints(parts: {
  suppressions: Suppressions | undefined
  clock: Clock
}): readonly Endpoint[] {
  const { clock } = parts
  const lists = (): Suppressions => {
    if (parts.suppressions === undefined) throw notEnabled('suppression lists', 'suppression()')
    return parts.suppressions
  }
  return [
    endpoint('GET /suppressions', 'listSuppressions', {
      summary: 'Addresses that nothing is sent to.',
      permission: 'suppressions:read',
      query: schemas.suppressionsQuery,
      response: schemas.suppressionsResponse,
      run: async ({ caller, query }) => {
        const { limit = DEFAULT_PAGE, after, stream, address } = query
        const filter = defined({ account: caller.account, stream, address })
        const found = await lists().list(filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) })
        const suppressions = found.slice(0, limit).map(show)
        return { body: { suppressions, next: found.length > limit ? (suppressions.at(-1)?.id ?? null) : null } }
      },
    }),
    endpoint('POST /suppressions', 'addSuppression', {
      summary: 'Send nothing to an address any more.',
      permission: 'suppressions:write',
      body: schemas.suppressionRequest,
      status: 201,
      response: schemas.suppression,
      run: async ({ caller, body }) => {
        const expiresAt = body.expiresAt === undefined ? undefined : Date.parse(body.expiresAt)
        if (expiresAt !== undefined && expiresAt <= clock.now())
          throw new ApiError('user', 'expiresAt has passed', { path: ['expiresAt'] })
        const added = await lists().add({
          ...{ account: caller.account, stream: check.stream(body.stream ?? ''), address: addressOf(body.address) },
          ...{ cause: 'manual', reason: check.plainText(body.reason ?? '', ['reason'], MAX_REASON) },
          ...(expiresAt === undefined ? {} : { expiresAt }),
        })
        if (added === undefined) throw new Problem('conflict', 'the address is on the list already')
        return { body: show(added) }
      },
    }),
    endpoint('GET /suppressions/:address', 'getSuppression', {
      summary: 'The entry that forbids sending to an address.',
      permission: 'suppressions:read',
      query: schemas.streamQuery,
      response: schemas.suppression,
      run: async ({ caller, params, query }) => {
        const parsed = parseAddress(params['address'] ?? '')
        if (!parsed.ok) throw new ApiError('badAddress', `not a mail address: ${parsed.error}`)
        const found = await lists().check(caller.account, query.stream ?? '', parsed.path)
        if (found === undefined) throw new Problem('notFound', 'the address is not suppressed')
        return { body: show(found) }
      },
    }),
    endpoint('DELETE /suppressions/:address', 'removeSuppression', {
      summary: 'Send to an address again.',
      permission: 'suppressions:write',
      query: schemas.streamQuery,
      status: 204,
      run: async ({ caller, params, query }) => {
        const address = addressOf(params['address'] ?? '')
        if (!(await lists().remove(caller.account, query.stream ?? '', address)))
          throw new Problem('notFound', 'the address is not on the list of this account and stream')
        return {}
      },
    }),
  ]
}

/** "local@domain", or "@domain". */
function addressOf(text: string): string {
  const good = text.startsWith('@') ? parseDomain(text.slice(1), { smtputf8: true }) : parseAddress(text)
  if (good.ok) return text
  throw new ApiError('badAddress', `not a mail address: ${good.error}`, { path: ['address'] })
}

function show({ id, address, stream, cause, reason, createdAt, expiresAt }: SuppressionEntry) {
  const expires = expiresAt === undefined ? null : iso(expiresAt)
  return { id, address, stream, cause, reason, createdAt: iso(createdAt), expiresAt: expires }
}
