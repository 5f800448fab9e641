// The login: a popup that must be answered, above all others. What was being written stays behind it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call, onLoginNeeded, setCsrfToken } from '../lib/api.ts'
import { openPopup } from './overlay.ts'

export function startLogin(): void {
  onLoginNeeded(
    reason =>
      new Promise(resolve => {
        openPopup({
          title: 'Log in',
          closable: false,
          onClose: resolve,
          render: close => <LoginForm reason={reason} done={close} />,
        })
      }),
  )
}

function LoginForm({ reason, done }: { readonly reason: string; done(): void }): JSX.Element {
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setError('')
    try {
      const { loginToken } = await call('loginPrepare', {})
      const address = String(form.get('username'))
      const { csrf } = await call('login', { loginToken, address, password: String(form.get('password')) })
      setCsrfToken(csrf)
      done()
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem))
      setBusy(false)
    }
  }
  return (
    <form class="login" onSubmit={event => void submit(event)}>
      {reason === '' ? null : <p class="reason">{reason}</p>}
      <fieldset disabled={busy}>
        <label class="field">
          Email address
          <input
            type="text"
            inputMode="email"
            name="username"
            autocomplete="username"
            autocapitalize="off"
            spellcheck={false}
            required
            autofocus
            maxLength={320}
          />
        </label>
        <label class="field">
          Password
          <input type="password" name="password" autocomplete="current-password" required maxLength={1_000} />
        </label>
        {error === '' ? null : (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="primary wide">
          {busy ? 'Logging in…' : 'Log in'}
        </button>
      </fieldset>
    </form>
  )
}
