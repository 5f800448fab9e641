// Settings: the second factor of the account, and passwords for programs that cannot ask for one. Each change that lets somebody
// in asks for the password; what is secret is shown once.

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { encode } from 'uqr'
import type { LoginSecurity } from '../../src/api/model.ts'
import { useLoaded } from '../frame/loaded.tsx'
import { focus } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { hasPasskeys, makePasskey } from '../lib/passkeys.ts'
import { reasonOf } from '../lib/reason.ts'
import { attempt } from '../state/busy.ts'

export function Security(): JSX.Element {
  const { value, problem, reload } = useLoaded(() => call('loginSecurity', {}))
  return (
    <>
      <h3>Second factor</h3>
      {problem === '' ? null : <p class="problem">{problem}</p>}
      {value === undefined ? <p aria-busy="true">Loading…</p> : <Loaded value={value} reload={reload} />}
    </>
  )
}

function Loaded({ value, reload }: { readonly value: LoginSecurity; reload(): void }): JSX.Element {
  const [codes, setCodes] = useState<readonly string[]>([])
  if (!value.available) return <p>This server has none.</p>
  const shown = (made: readonly string[]): void => {
    setCodes(made)
    reload()
  }
  return (
    <>
      {codes.length > 0 ? (
        <RecoveryCodes codes={codes} done={() => setCodes([])} />
      ) : value.secondFactorSince === null ? (
        <SetUp made={shown} />
      ) : (
        <TurnedOn since={value.secondFactorSince} left={value.recoveryCodes} made={shown} reload={reload} />
      )}
      {value.secondFactorSince === null || codes.length > 0 || !hasPasskeys() ? null : (
        <Passkeys value={value} reload={reload} />
      )}
      <h3>App passwords</h3>
      <AppPasswords value={value} reload={reload} />
    </>
  )
}

function SetUp({ made }: { made(codes: readonly string[]): void }): JSX.Element {
  const [secret, setSecret] = useState<{ readonly secret: string; readonly uri: string }>()
  const begin = (): Promise<boolean> =>
    attempt('making a secret', async () => setSecret(await call('secondFactorBegin', {})))
  if (secret === undefined)
    return (
      <>
        <p class="hint-text">
          With a second factor, logging in here needs a code of an app on your phone beside your password. Programs that
          cannot ask for a code use app passwords.
        </p>
        <button type="button" onClick={() => void begin()}>
          Set up…
        </button>
      </>
    )
  return (
    <PasswordForm
      verb="Turn on"
      submit={async (password, form) => {
        const code = String(form.get('code'))
        made((await call('secondFactorEnable', { password, secret: secret.secret, code })).recoveryCodes)
      }}
    >
      <p>Scan this with an app for codes, or type the key into it.</p>
      <QrCode text={secret.uri} />
      <p>
        <code class="secret">{secret.secret.match(/.{1,4}/g)?.join(' ')}</code>
      </p>
      <label class="field">
        Code that the app shows
        <input name="code" inputMode="numeric" autocomplete="one-time-code" required maxLength={20} ref={focus} />
      </label>
    </PasswordForm>
  )
}

function TurnedOn(props: {
  readonly since: number
  readonly left: number
  made(codes: readonly string[]): void
  reload(): void
}): JSX.Element {
  const { since, left, made, reload } = props
  const [asked, ask] = useState<'' | 'codes' | 'off'>('')
  return (
    <>
      <p>
        It is on since {new Date(since).toLocaleDateString()}. {left} recovery {left === 1 ? 'code is' : 'codes are'}{' '}
        left.
      </p>
      {asked === '' ? (
        <p class="line">
          <button type="button" onClick={() => ask('codes')}>
            New recovery codes…
          </button>
          <button type="button" class="danger" onClick={() => ask('off')}>
            Turn off…
          </button>
        </p>
      ) : asked === 'codes' ? (
        <PasswordForm
          verb="Make new codes"
          cancel={() => ask('')}
          submit={async password => made((await call('recoveryCodesRenew', { password })).recoveryCodes)}
        >
          <p>Those you have will not be good any more.</p>
        </PasswordForm>
      ) : (
        <PasswordForm
          verb="Turn off"
          danger
          cancel={() => ask('')}
          submit={async password => {
            await call('secondFactorDisable', { password })
            reload()
          }}
        >
          <p>Your password alone will be enough to log in.</p>
        </PasswordForm>
      )}
    </>
  )
}

function RecoveryCodes({ codes, done }: { readonly codes: readonly string[]; done(): void }): JSX.Element {
  return (
    <ShownOnce text={codes.join('\n')} verb="I have them" done={done}>
      <p>
        <b>Keep these recovery codes</b> where you find them without your phone: each lets you in once instead of a code
        of the app. They are not shown again. Other browsers are logged out.
      </p>
      <ul class="codes">
        {codes.map(code => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
    </ShownOnce>
  )
}

function AppPasswords({ value, reload }: { readonly value: LoginSecurity; reload(): void }): JSX.Element {
  const [made, setMade] = useState('')
  return (
    <>
      <p class="hint-text">
        A password for one program, such as a mail program on a phone: it works everywhere but here, and can be taken
        back alone.
      </p>
      <Keys
        keys={value.appPasswords}
        what="password"
        open="New app password…"
        label="For which program"
        remove={id => call('appPasswordRemove', { id })}
        add={async (password, name) => setMade((await call('appPasswordAdd', { password, name })).password)}
        reload={reload}
      >
        {made === '' ? null : (
          <ShownOnce text={made} verb="Done" done={() => setMade('')}>
            <p>Put this password into the program. It is not shown again.</p>
            <p>
              <code class="secret">{made}</code>
            </p>
          </ShownOnce>
        )}
      </Keys>
    </>
  )
}

function Passkeys({ value, reload }: { readonly value: LoginSecurity; reload(): void }): JSX.Element {
  return (
    <>
      <h3>Passkeys</h3>
      <p class="hint-text">A key in this device, or one that you plug in, instead of a code.</p>
      <Keys
        keys={value.passkeys}
        what="passkey"
        open="New passkey…"
        label="Name of the device"
        remove={id => call('passkeyRemove', { id })}
        add={async (password, name) => {
          const { options } = await call('passkeyBegin', {})
          await call('passkeyAdd', { password, name, answer: await makePasskey(options) })
        }}
        reload={reload}
      />
    </>
  )
}

/** A list of what lets somebody in and can be taken back alone; a button to make one more opens a form. */
function Keys(props: {
  readonly keys: LoginSecurity['appPasswords']
  /** "passkey" */
  readonly what: string
  /** Of the button. */
  readonly open: string
  /** Of the field for the name. */
  readonly label: string
  /** Between the list and the button. */
  readonly children?: ComponentChildren
  remove(id: string): Promise<unknown>
  add(password: string, name: string): Promise<void>
  reload(): void
}): JSX.Element {
  const { keys, what, open, label, children, remove, add, reload } = props
  const [adding, setAdding] = useState(false)
  const take = async (id: string): Promise<void> => {
    await attempt(`removing the ${what}`, () => remove(id))
    reload()
  }
  return (
    <>
      <ul class="entries">
        {keys.map(({ id, name, createdAt, usedAt }) => (
          <li key={id}>
            <div>
              <b>{name}</b>
              <small>
                made {new Date(createdAt).toLocaleDateString()},{' '}
                {usedAt === null ? 'never used' : `last used ${new Date(usedAt).toLocaleString()}`}
              </small>
            </div>
            <button type="button" aria-label={`Remove ${name}`} onClick={() => void take(id)}>
              Remove
            </button>
          </li>
        ))}
      </ul>
      {children}
      {adding ? (
        <PasswordForm
          verb={`Make a ${what}`}
          cancel={() => setAdding(false)}
          submit={async (password, form) => {
            await add(password, String(form.get('called')))
            setAdding(false)
            reload()
          }}
        >
          <label class="field">
            {label}
            <input name="called" required maxLength={100} ref={focus} />
          </label>
        </PasswordForm>
      ) : (
        <button type="button" onClick={() => setAdding(true)}>
          {open}
        </button>
      )}
    </>
  )
}

/** A secret that is not shown again. `text`: what is copied. */
function ShownOnce(props: {
  readonly text: string
  readonly verb: string
  readonly children: ComponentChildren
  done(): void
}): JSX.Element {
  const { text, verb, children, done } = props
  return (
    <div class="shown-once" role="status">
      {children}
      <p class="line">
        <button type="button" onClick={() => void navigator.clipboard?.writeText(text)}>
          Copy
        </button>
        <button type="button" class="primary" onClick={done}>
          {verb}
        </button>
      </p>
    </div>
  )
}

/** Fields, the password, and a button. What goes wrong is told in it. */
function PasswordForm(props: {
  readonly verb: string
  readonly danger?: boolean
  readonly children: ComponentChildren
  cancel?(): void
  submit(password: string, form: FormData): Promise<void>
}): JSX.Element {
  const { verb, danger, children, cancel, submit } = props
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setProblem('')
    try {
      await submit(String(form.get('password')), form)
    } catch (error) {
      setProblem(reasonOf(error))
      setBusy(false)
    }
  }
  return (
    <form class="entry" onSubmit={event => void send(event)}>
      <fieldset disabled={busy}>
        {children}
        <label class="field">
          Your password
          <input type="password" name="password" autocomplete="current-password" required maxLength={1_000} />
        </label>
        {problem === '' ? null : (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <p class="line">
          <button type="submit" class={danger === true ? 'danger' : 'primary'}>
            {verb}
          </button>
          {cancel === undefined ? null : (
            <button type="button" onClick={cancel}>
              Cancel
            </button>
          )}
        </p>
      </fieldset>
    </form>
  )
}

/** Black on white in every theme, as scanners want it. */
function QrCode({ text }: { readonly text: string }): JSX.Element {
  const { size, data } = encode(text, { border: 2 })
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="The key as a QR code">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
