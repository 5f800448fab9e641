// The login: a popup that must be answered, above all others. What was being written stays behind it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Result } from '../../src/api/calls.ts'
import { type Account, addAccount, currentAccount, removeAccount, switchTo } from '../lib/accounts.ts'
import { ApiError, call, onLoginNeeded } from '../lib/api.ts'
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

interface LoginFormProps {
  readonly reason: string
  /** Filled in. */
  readonly address: string
  done(added: Account): void
}

function LoginForm({ reason, address: known, done }: LoginFormProps): JSX.Element {
  const [address, setAddress] = useState(known)
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
      if (result.csrf !== '') done({ account: result.account, address, csrf: result.csrf })
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem))
      setBusy(false)
      if (problem instanceof ApiError && problem.code === 'badRequest') setProof('')
    }
  }
  const logIn = async (form: FormData): Promise<Result<'login'>> => {
    const { loginToken } = await call('loginPrepare', {})
    return await call('login', { loginToken, address, password: String(form.get('password')) })
  }
  const giveCode = async (form: FormData): Promise<Result<'login'>> => ({
    ...(await call('loginCode', { proof, code: String(form.get('code')) })),
    proof: '',
  })
  return (
    <form class="login" onSubmit={event => void submit(event)}>
      {reason === '' ? null : <p class="reason">{reason}</p>}
      <fieldset disabled={busy}>
        {proof === '' ? <Password address={address} change={setAddress} /> : <Code />}
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

function Password({ address, change }: { address: string; change(address: string): void }): JSX.Element {
  return (
    <>
      <label class="field">
        Email address
        <input
          type="text"
          inputMode="email"
          name="username"
          value={address}
          onInput={event => change(event.currentTarget.value)}
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
