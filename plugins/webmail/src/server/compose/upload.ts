// POST upload/DRAFT: a file of a draft as the request's body, written to the content store as it comes in. Too large a file is
// refused by its Content-Length, before the first byte of it is read.
import Router from '@koa/router'
import type { Context } from 'koa'
import { CallError, type Caller } from '../call.ts'
import type { Drafts } from './drafts.ts'
import { tooLarge } from './files.ts'

/** Uploads of one account at the same time. */
export const MAX_UPLOADS = 4

/** `admit` checks session and CSRF token, and throws a CallError. */
export function uploadRoutes(drafts: Drafts, admit: (ctx: Context) => Promise<Caller>): Router {
  const running = new Map<string, number>()
  const router = new Router()
  router.post('/upload/:draft', async ctx => {
    const { account } = await admit(ctx)
    const id = ctx.params['draft'] ?? ''
    const size = ctx.request.length ?? 0
    if (size > (await drafts.room(account, id))) throw tooLarge(await drafts.room(account, id))
    const count = running.get(account) ?? 0
    if (count >= MAX_UPLOADS) throw new CallError('tooMany', 'wait until another file was uploaded')
    running.set(account, count + 1)
    try {
      const file = {
        name: fileName(ctx.get('x-mox-filename')),
        contentType: ctx.get('Content-Type'),
        source: ctx.req as AsyncIterable<Buffer>,
      }
      ctx.body = { attachments: await drafts.attach(account, id, [file]) }
    } finally {
      const left = (running.get(account) ?? 1) - 1
      if (left === 0) running.delete(account)
      else running.set(account, left)
    }
  })
  return router
}

function fileName(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    throw new CallError('badRequest', 'the header x-mox-filename must be percent-encoded UTF-8')
  }
}
