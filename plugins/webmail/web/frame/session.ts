// The end of a session, and a new version of the server.
import { effect } from '@preact/signals'
import { call, setCsrfToken } from '../lib/api.ts'
import { forgetKept } from '../lib/kept.ts'
import { resetStream } from '../lib/stream.ts'
import { attempt } from '../state/busy.ts'
import { leave } from '../state/leaving.ts'
import { hello } from '../state/store.ts'

export async function logout(): Promise<void> {
  await leave(false)
  if (!(await attempt('logging out', () => call('logout', {})))) return
  setCsrfToken('')
  resetStream()
  await forgetKept()
  // Nothing of this account stays in the page's memory.
  location.reload()
}

/** A page of another version than the server's is loaded anew, when what is unsaved has been saved. */
export function startVersionCheck(): void {
  let version: string | undefined
  effect(() => {
    const now = hello.value?.version
    if (now === undefined || now === '') return
    if (version !== undefined && version !== now) void leave(false).then(() => location.reload())
    version = now
  })
}
