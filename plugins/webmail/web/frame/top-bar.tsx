// The bar at the top.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { accounts, currentAccount, switchTo } from '../lib/accounts.ts'
import { callAs } from '../lib/api.ts'
import { paused, reconnect } from '../lib/stream.ts'
import { SearchBar } from '../search/search-bar.tsx'
import { SETTINGS_LAYOUTS } from '../settings/choices.ts'
import { status } from '../state/busy.ts'
import { leave } from '../state/leaving.ts'
import { backToList, drawer, pane, target } from '../state/navigate.ts'
import { change } from '../state/preferences.ts'
import { connected, hello, narrow, settings } from '../state/store.ts'
import { Icon } from './icons.tsx'
import { press } from './keyboard.ts'
import { openPopover } from './overlay.ts'

export function TopBar(): JSX.Element {
  const phone = narrow.value
  return (
    <header class="top-bar">
      {phone ? <PhoneStart /> : null}
      {phone ? null : (
        <button type="button" class="primary compose-button" onClick={() => press('global.compose')}>
          <Icon name="write" />
          Compose
        </button>
      )}
      <search id="search" class="search-slot">
        <SearchBar />
      </search>
      <Connection />
      <span class="status" role="status">
        {status.value === '' ? '' : `${status.value}…`}
      </span>
      {phone ? null : <LayoutSelect />}
      {phone ? null : <BarButton id="global.tooltips" icon="tooltip" label="Show tooltips" />}
      {phone ? null : <BarButton id="global.help" icon="help" label="Help" />}
      {phone ? null : <BarButton id="global.settings" icon="settings" label="Settings" />}
      <AccountButton />
    </header>
  )
}

function PhoneStart(): JSX.Element {
  if (pane.value === 'message')
    return (
      <button type="button" class="icon" aria-label="Back to the list" onClick={backToList}>
        <Icon name="back" />
      </button>
    )
  return (
    <button
      type="button"
      class="icon"
      aria-label="Mailboxes"
      aria-expanded={drawer.value}
      onClick={() => {
        drawer.value = !drawer.value
      }}
    >
      <Icon name={drawer.value ? 'close' : 'menu'} />
    </button>
  )
}

function BarButton(props: {
  readonly id: string
  readonly icon: 'tooltip' | 'help' | 'settings'
  readonly label: string
}): JSX.Element {
  return (
    <button type="button" class="icon" aria-label={props.label} title={props.label} onClick={() => press(props.id)}>
      <Icon name={props.icon} />
    </button>
  )
}

function Connection(): JSX.Element | null {
  // Before the first greeting it is not lost, but not yet there.
  if (connected.value || hello.value === undefined) return null
  return (
    <span class="connection" role="alert">
      {paused.value ? 'Paused, as other windows are used' : 'Not connected'}
      <button type="button" onClick={reconnect}>
        {paused.value ? 'Continue' : 'Reconnect'}
      </button>
    </span>
  )
}

function LayoutSelect(): JSX.Element {
  return (
    <select
      class="layout-select"
      aria-label="Layout"
      title="Layout"
      value={settings.value?.layout ?? 'auto'}
      disabled={settings.value === undefined || target.value.kind === 'outgoing'}
      onChange={event => change({ layout: event.currentTarget.value as 'auto' })}
    >
      {SETTINGS_LAYOUTS.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  )
}

function AccountButton(): JSX.Element {
  return (
    <button
      type="button"
      class="icon account-button"
      aria-label="Account"
      aria-haspopup="dialog"
      title={hello.value?.loginAddress ?? 'Account'}
      onClick={event =>
        openPopover({
          anchor: event.currentTarget,
          label: 'Account',
          render: close => <AccountMenu close={close} />,
        })
      }
    >
      <Icon name="account" size={20} />
    </button>
  )
}

function AccountMenu({ close }: { close(): void }): JSX.Element {
  const run = (id: string) => () => {
    close()
    press(id)
  }
  return (
    <div class="menu">
      <p class="who">
        <b>{hello.value?.loginAddress}</b>
        <small>{hello.value === undefined ? '' : `account ${hello.value.account}`}</small>
      </p>
      <Others />
      {accounts().length < 2 ? null : (
        <button type="button" onClick={run('global.inboxes')}>
          All inboxes
        </button>
      )}
      <button type="button" onClick={run('global.addAccount')}>
        Add an account…
      </button>
      <hr />
      <button type="button" onClick={run('global.settings')}>
        Settings
      </button>
      <button type="button" onClick={run('global.help')}>
        Help and keyboard shortcuts
      </button>
      <fieldset class="themes">
        <legend class="visually-hidden">Colours</legend>
        {(['auto', 'light', 'dark'] as const).map(theme => (
          <label key={theme}>
            <input
              type="radio"
              name="theme"
              checked={settings.value?.theme === theme}
              onChange={() => change({ theme })}
            />
            {{ auto: 'Auto', light: 'Light', dark: 'Dark' }[theme]}
          </label>
        ))}
      </fieldset>
      <hr />
      <button type="button" onClick={run('global.logout')}>
        Log out
      </button>
      {accounts().length < 2 ? null : (
        <button type="button" onClick={run('global.logoutAll')}>
          Log out of all accounts
        </button>
      )}
    </div>
  )
}

/** The other accounts of this browser, with what is unread in their inboxes. */
function Others(): JSX.Element | null {
  const others = accounts().filter(({ account }) => account !== currentAccount()?.account)
  const [unread, setUnread] = useState<ReadonlyMap<string, number>>(new Map())
  useEffect(() => {
    for (const { account, csrf } of others)
      callAs(csrf, 'inboxUnread', {}).then(
        ({ unread: count }) => setUnread(now => new Map(now).set(account, count)),
        // It is said when one goes there.
        () => undefined,
      )
  }, [])
  return (
    <>
      {others.map(({ account, address }) => {
        const count = unread.get(account) ?? 0
        return (
          <button type="button" key={account} onClick={() => void leave(false).then(() => switchTo(account))}>
            <span class="other">{address}</span>
            {count === 0 ? null : <span class="count">{count.toLocaleString()} unread</span>}
          </button>
        )
      })}
    </>
  )
}
