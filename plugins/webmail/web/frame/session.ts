// The end of a session, and a new version of the server.
import { effect } from '@preact/signals'
import { accounts, currentAccount, removeAccount, switchTo } from '../lib/accounts.ts'
import { call, callAs } from '../lib/api.ts'
import { forgetKept } from '../lib/kept.ts'
import { resetStream } from '../lib/stream.ts'
import { attempt } from '../state/busy.ts'
import { leave } from '../state/leaving.ts'
import { hello } from '../state/store.ts'
import { toast } from './overlay.ts'

export async function logout(): Promise<void> {
  await leave(false)
  if (!(await attempt('logging out', () => call('logout', {})))) return
  const now = currentAccount()
  if (now !== undefined) removeAccount(now.account)
  resetStream()
  await forgetKept()
  history.replaceState(null, '', '#Inbox')
  // Nothing of this account stays in the page's memory.
  location.reload()
}

/** Logs out of all accounts of this browser. */
export async function logoutAll(): Promise<void> {
  const now = currentAccount()
  for (const { account, csrf } of accounts()) {
    if (account === now?.account) continue
    // One whose session has ended is logged out already.
    await callAs(csrf, 'logout', {}).catch(() => undefined)
    removeAccount(account)
  }
  await logout()
}

/** Shows the account after this one, in the order of their names. */
export function nextAccount(): void {
  const all = [...accounts()].sort((a, b) => (a.account < b.account ? -1 : 1))
  const at = all.findIndex(({ account }) => account === currentAccount()?.account)
  const next = all[(at + 1) % all.length]
  if (next === undefined || all.length < 2) toast({ text: 'This browser is logged in to one account only' })
  else void leave(false).then(() => switchTo(next.account))
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
