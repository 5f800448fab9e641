// The login: a popup that must be answered, above all others. What was being written stays behind it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { ApiError, call, onLoginNeeded, setCsrfToken } from '../lib/api.ts'
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
  /** A code is needed as well. */
  const [proof, setProof] = useState('')
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setError('')
    try {
      const result = proof === '' ? await logIn(form) : await giveCode(form)
      // Together with what it asks for, which takes the focus.
      setBusy(false)
      setProof(result.proof)
      if (result.csrf === '') return
      setCsrfToken(result.csrf)
      done()
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem))
      setBusy(false)
      if (problem instanceof ApiError && problem.code === 'badRequest') setProof('')
    }
  }
  const logIn = async (form: FormData): Promise<{ csrf: string; proof: string }> => {
    const { loginToken } = await call('loginPrepare', {})
    const address = String(form.get('username'))
    return await call('login', { loginToken, address, password: String(form.get('password')) })
  }
  const giveCode = async (form: FormData): Promise<{ csrf: string; proof: string }> => {
    const { csrf } = await call('loginCode', { proof, code: String(form.get('code')) })
    return { csrf, proof: '' }
  }
  return (
    <form class="login" onSubmit={event => void submit(event)}>
      {reason === '' ? null : <p class="reason">{reason}</p>}
      <fieldset disabled={busy}>
        {proof === '' ? <Password /> : <Code />}
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

function Password(): JSX.Element {
  return (
    <>
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
    </>
  )
}

/** Of what appears in a popup that is open already. */
const focus = (element: HTMLElement | null): void => element?.focus()

function Code(): JSX.Element {
  return (
    <label class="field">
      Code of your app, or a recovery code
      <input
        name="code"
        inputMode="text"
        autocomplete="one-time-code"
        autocapitalize="off"
        spellcheck={false}
        required
        ref={focus}
        maxLength={20}
      />
    </label>
  )
}
