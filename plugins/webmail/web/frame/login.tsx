// The login: a popup that must be answered, above all others. What was being written stays behind it.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { addAccount, currentAccount, removeAccount, switchTo } from '../lib/accounts.ts'
import { onLoginNeeded } from '../lib/api.ts'
import type { LoginFormProps } from './login-form.tsx'
import { openPopup } from './overlay.ts'

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

/** Loaded when somebody must log in. A server of another version has it under another name: the page is loaded anew then. */
function LoginForm(props: LoginFormProps): JSX.Element {
  const [Form, setForm] = useState<typeof import('./login-form.tsx').LoginForm>()
  useEffect(() => {
    import('./login-form.tsx').then(
      ({ LoginForm: Loaded }) => setForm(() => Loaded),
      () => location.reload(),
    )
  }, [])
  return Form === undefined ? <p aria-busy="true">Loading…</p> : <Form {...props} />
}
