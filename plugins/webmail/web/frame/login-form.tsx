// The form of a login: address and password, then, where the account has a second factor, a code or a passkey.

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Result } from '../../src/api/calls.ts'
import type { Account } from '../lib/accounts.ts'
import { ApiError, call } from '../lib/api.ts'
import { reasonOf } from '../lib/reason.ts'
import { focus } from './overlay.ts'

/** Of a step that is the last. */
const NO_MORE = { proof: '', passkey: null }

interface LoginFormProps {
  readonly reason: string
  /** Filled in. */
  readonly address: string
  done(added: Account): void
}

export function LoginForm({ reason, address: known, done }: LoginFormProps): JSX.Element {
  const [address, setAddress] = useState(known)
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  /** A code is needed as well. */
  const [proof, setProof] = useState('')
  /** What a passkey of the account is asked; null when it has none. */
  const [passkey, setPasskey] = useState<unknown>(null)
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    void step(() => (proof === '' ? logIn(form) : giveCode(form)))
  }
  const step = async (work: () => Promise<Result<'login'>>): Promise<void> => {
    setBusy(true)
    setError('')
    try {
      const result = await work()
      // Together with what it asks for, which takes the focus.
      setBusy(false)
      setProof(result.proof)
      if (result.proof !== '') setPasskey(result.passkey)
      if (result.csrf !== '') done({ account: result.account, address, csrf: result.csrf })
    } catch (problem) {
      setError(reasonOf(problem))
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
    ...NO_MORE,
  })
  const usePasskey = async (): Promise<Result<'login'>> => {
    const { askPasskey } = await import('../lib/passkeys.ts')
    return { ...(await call('loginPasskey', { proof, answer: await askPasskey(passkey) })), ...NO_MORE }
  }
  return (
    <form class="login" onSubmit={submit}>
      {reason === '' ? null : <p class="reason">{reason}</p>}
      <fieldset disabled={busy}>
        {proof === '' ? <Password known={known} address={address} change={setAddress} /> : <Code />}
        {error === '' ? null : (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="primary wide">
          {busy ? 'Logging in…' : 'Log in'}
        </button>
        {proof === '' || passkey === null || !('PublicKeyCredential' in globalThis) ? null : (
          <button type="button" class="wide" onClick={() => void step(usePasskey)}>
            Use a passkey
          </button>
        )}
      </fieldset>
    </form>
  )
}

interface PasswordProps {
  /** Filled in from the beginning. */
  readonly known: string
  readonly address: string
  change(address: string): void
}

function Password({ known, address, change }: PasswordProps): JSX.Element {
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
          ref={known === '' ? focus : null}
          maxLength={320}
        />
      </label>
      <label class="field">
        Password
        <input
          type="password"
          name="password"
          autocomplete="current-password"
          required
          ref={known === '' ? null : focus}
          maxLength={1_000}
        />
      </label>
    </>
  )
}

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
