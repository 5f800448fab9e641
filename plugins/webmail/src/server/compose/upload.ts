// POST upload/DRAFT: a file of a draft as the request's body, written to the content store as it comes in. Too large a file is
// refused by its Content-Length, before the first byte of it is read.
import { CallError } from '../call.ts'
import { sendJson } from '../compress.ts'
import type { Route } from '../part.ts'
import type { Drafts } from './drafts.ts'
import { tooLarge } from './files.ts'

/** Uploads of one account at the same time. */
export const MAX_UPLOADS = 4

export function uploadRoute(drafts: Drafts, maxMessageSize: number): Route {
  const running = new Map<string, number>()
  return {
    method: 'POST',
    path: /^upload\/([a-z2-7]{26})$/,
    auth: 'header',
    maxBody: maxMessageSize,
    handle: async (ctx, { account }, match) => {
      const id = match[1] ?? ''
      const room = await drafts.room(account, id)
      if ((ctx.request.length ?? 0) > room) throw tooLarge(room)
      const count = running.get(account) ?? 0
      if (count >= MAX_UPLOADS) throw new CallError('tooMany', 'wait until another file was uploaded')
      running.set(account, count + 1)
      try {
        const source = ctx.req as AsyncIterable<Buffer>
        const file = { name: fileName(ctx.get('x-mox-filename')), contentType: ctx.get('Content-Type'), source }
        await sendJson(ctx, { attachments: await drafts.attach(account, id, [file]) })
      } finally {
        const left = (running.get(account) ?? 1) - 1
        if (left === 0) running.delete(account)
        else running.set(account, left)
      }
    },
  }
}

function fileName(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    throw new CallError('badRequest', 'the header x-mox-filename must be percent-encoded UTF-8')
  }
}
