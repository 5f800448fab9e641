// The accounts that this browser is logged in to, with their CSRF tokens, and which of them this window shows. The tokens are of all
// windows; the choice is the window's own, and a new window begins with the account that was chosen last.
import { z } from 'zod'

const ACCOUNTS = 'webmail-accounts'
const CHOSEN = 'webmail-account'

const schema = z.array(z.object({ account: z.string(), address: z.string(), csrf: z.string() })).max(20)
export type Account = z.infer<typeof schema>[number]

/** The one that was chosen last first. */
export function accounts(): readonly Account[] {
  try {
    return schema.parse(JSON.parse(localStorage.getItem(ACCOUNTS) ?? '[]'))
  } catch {
    return []
  }
}

function store(list: readonly Account[]): void {
  localStorage.setItem(ACCOUNTS, JSON.stringify(list))
}

/** The account of this window; undefined before a login. */
export function currentAccount(): Account | undefined {
  const all = accounts()
  const chosen = sessionStorage.getItem(CHOSEN)
  return chosen === null ? all[0] : all.find(({ account }) => account === chosen)
}

export function csrfToken(): string {
  return currentAccount()?.csrf ?? ''
}

/** After a login: this window shows it from now on. */
export function addAccount(added: Account): void {
  store([added, ...accounts().filter(({ account }) => account !== added.account)])
  sessionStorage.setItem(CHOSEN, added.account)
}

/** After logging out, or when its session has ended. This window shows another one then, if there is one. */
export function removeAccount(removed: string): void {
  store(accounts().filter(({ account }) => account !== removed))
  if (sessionStorage.getItem(CHOSEN) === removed) sessionStorage.removeItem(CHOSEN)
}

/** Shows another account in this window, at a place of it. */
export function switchTo(account: string, hash = '#Inbox'): void {
  const all = accounts()
  const chosen = all.find(one => one.account === account)
  if (chosen === undefined) return
  store([chosen, ...all.filter(one => one !== chosen)])
  sessionStorage.setItem(CHOSEN, account)
  history.replaceState(null, '', hash)
  // Nothing of the other account stays in the page's memory.
  location.reload()
}
