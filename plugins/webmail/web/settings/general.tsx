// Settings: General and Reading.
import type { JSX } from 'preact'
import { toast } from '../frame/overlay.ts'
import { showError } from '../state/busy.ts'
import { local, setLocal } from '../state/local.ts'
import { change } from '../state/preferences.ts'
import { settings } from '../state/store.ts'
import { SETTINGS_LAYOUTS, THEMES, THREADINGS } from './choices.ts'
import { Area, Check, Choice } from './fields.tsx'
import { headerNames } from './header-names.ts'

export function General(): JSX.Element {
  return (
    <>
      <h3>General</h3>
      <Choice name="theme" label="Colours" choices={THEMES} />
      <Choice name="layout" label="Layout" choices={SETTINGS_LAYOUTS} />
      <Check name="shortcutHints">Show the key of a command when it is used by mouse</Check>
      <Notify />
      <Keep />
      <Mailto />
    </>
  )
}

/** The browser asks the user as well, once. */
function Notify(): JSX.Element | null {
  if (!('Notification' in globalThis) || !isSecureContext) return null
  const change = async (on: boolean): Promise<void> => {
    const allowed = !on || (await Notification.requestPermission()) === 'granted'
    setLocal({ notify: on && allowed })
    if (!allowed) toast({ text: 'The browser does not allow it: see its settings for this page', kind: 'error' })
  }
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={local.value.notify && Notification.permission === 'granted'}
        onChange={event => void change(event.currentTarget.checked)}
      />
      <span>Tell of new mail while this page is not seen, in this browser</span>
    </label>
  )
}

function Keep(): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={local.value.keep}
        onChange={event => setLocal({ keep: event.currentTarget.checked })}
      />
      <span>Keep the list that was shown last in this browser until you log out, to have it at once</span>
    </label>
  )
}

/** Browsers know this only on a safe connection. */
function Mailto(): JSX.Element | null {
  if (!('registerProtocolHandler' in navigator) || !isSecureContext) return null
  const url = `${location.href.replace(/#.*$/, '')}#compose%20%s`
  const change = (register: boolean) => () => {
    try {
      if (register) navigator.registerProtocolHandler('mailto', url)
      else
        (
          navigator as Navigator & { unregisterProtocolHandler?(scheme: string, url: string): void }
        ).unregisterProtocolHandler?.('mailto', url)
      toast({ text: register ? 'The browser may ask you to allow it' : 'Links to addresses open elsewhere again' })
    } catch (error) {
      showError(error)
    }
  }
  return (
    <fieldset class="group">
      <legend>Links to email addresses</legend>
      <p class="hint-text">Let the browser open “mailto:” links of other pages here.</p>
      <p class="line">
        <button type="button" onClick={change(true)}>
          Open them here
        </button>
        {'unregisterProtocolHandler' in navigator ? (
          <button type="button" onClick={change(false)}>
            No longer
          </button>
        ) : null}
      </p>
    </fieldset>
  )
}

export function Reading(): JSX.Element {
  return (
    <>
      <h3>Reading</h3>
      <Choice name="threading" label="Threads" choices={THREADINGS} />
      <Choice
        name="order"
        label="Order"
        choices={[
          ['newest', 'Newest first'],
          ['oldest', 'Oldest first'],
        ]}
      />
      <Check name="preferHtml">Show messages as HTML where they have both, unless chosen otherwise for a sender</Check>
      <Area
        label="Header fields shown with every message, one per line"
        value={(settings.value?.showHeaders ?? []).join('\n')}
        rows={4}
        maxLength={5_000}
        mono
        change={text => change({ showHeaders: headerNames(text) })}
      />
    </>
  )
}
