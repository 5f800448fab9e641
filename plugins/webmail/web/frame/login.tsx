// The login: a popup that must be answered, above all others. What was being written stays behind it.
import { addAccount, currentAccount, removeAccount, switchTo } from '../lib/accounts.ts'
import { onLoginNeeded } from '../lib/api.ts'
import { leave } from '../state/leaving.ts'
import { lazy } from './lazy.tsx'
import { openPopup } from './overlay.ts'

/** A server of another version has it under another name: the page is loaded anew then. */
const LoginForm = lazy(
  async () => (await import('./login-form.tsx')).LoginForm,
  'Loading…',
  () => location.reload(),
)

export function startLogin(): void {
  onLoginNeeded(
    reason =>
      new Promise(resolve => {
        // Its session is over; the others of this browser are not.
        const before = currentAccount()
        openPopup({
          title: 'Log in',
          closable: false,
          onClose: resolve,
          render: close => (
            <LoginForm
              reason={reason}
              address={before?.address ?? ''}
              done={added => {
                const other = before !== undefined && before.account !== added.account
                if (other) removeAccount(before.account)
                addAccount(added)
                // Nothing of the other account stays in the page's memory, and none of its calls is done for this one.
                if (other) location.reload()
                else close()
              }}
            />
          ),
        })
      }),
  )
}

/** Logs in to one more account, which this window then shows. */
export function addOneMore(): void {
  openPopup({
    title: 'Add an account',
    closable: true,
    render: () => (
      <LoginForm
        reason="The accounts you are logged in to stay."
        address=""
        done={added => {
          // What is unsaved belongs to the account of this window.
          void leave(false).then(() => {
            addAccount(added)
            switchTo(added.account)
          })
        }}
      />
    ),
  })
}
