// The login: a popup that must be answered, above all others. What was being written stays behind it.
import { addAccount, currentAccount, removeAccount, switchTo } from '../lib/accounts.ts'
import { onLoginNeeded } from '../lib/api.ts'
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
                if (before !== undefined && before.account !== added.account) removeAccount(before.account)
                addAccount(added)
                close()
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
          addAccount(added)
          switchTo(added.account)
        }}
      />
    ),
  })
}
