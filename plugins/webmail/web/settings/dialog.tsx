// The settings: pages of the webmail and of its extensions. What is changed is saved by itself.

import type { SettingsPage } from '@mox/plugin-sdk/webmail'
import type { ComponentType, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { settingsPages } from '../extend/registry.ts'
import { openPopup } from '../frame/overlay.ts'
import { reasonOf } from '../lib/reason.ts'
import { change, savePreferences } from '../state/preferences.ts'
import { settings } from '../state/store.ts'
import { Devices } from './devices.tsx'
import { General, Reading } from './general.tsx'
import { Keyboard } from './keyboard.tsx'
import { Labels } from './labels.tsx'
import { Rules } from './rules.tsx'
import { Security } from './security.tsx'
import { Transfer } from './transfer.tsx'
import { Writing } from './writing.tsx'
import './settings.css'

const PAGES: readonly (readonly [id: string, title: string, page: ComponentType])[] = [
  ['general', 'General', General],
  ['reading', 'Reading', Reading],
  ['writing', 'Writing', Writing],
  ['keyboard', 'Keyboard', Keyboard],
  ['labels', 'Labels', Labels],
  ['rules', 'Rules', Rules],
  ['transfer', 'Import and export', Transfer],
  ['devices', 'Devices', Devices],
  ['security', 'Security', Security],
]

/** `page`: id of the page to begin with; of an extension's page its own id. */
export function openSettings(page = 'general'): void {
  openPopup({
    title: 'Settings',
    closable: true,
    render: () => <Dialog first={page} />,
    onClose: () => void savePreferences(),
  })
}

function Dialog({ first }: { readonly first: string }): JSX.Element {
  const [chosen, choose] = useState(first)
  const tabs = useRef<HTMLDivElement>(null)
  const pages = [
    ...PAGES.map(([id, title]) => [id, title] as const),
    ...settingsPages.value.map(p => [p.id, p.title] as const),
  ]
  const Page = PAGES.find(([id]) => id === chosen)?.[2]
  const extension = settingsPages.value.find(p => p.id === chosen)
  const step = (by: number): void => {
    const at = pages.findIndex(([id]) => id === chosen)
    const [next] = pages[(at + by + pages.length) % pages.length] ?? []
    if (next === undefined) return
    choose(next)
    tabs.current?.querySelector<HTMLElement>(`[data-page="${CSS.escape(next)}"]`)?.focus()
  }
  return (
    <div class="settings">
      <div class="settings-tabs" role="tablist" aria-label="Pages" aria-orientation="vertical" ref={tabs}>
        {pages.map(([id, title]) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`settings-tab-${id}`}
            data-page={id}
            aria-selected={id === chosen}
            aria-controls="settings-page"
            tabIndex={id === chosen ? 0 : -1}
            autofocus={id === chosen}
            onClick={() => choose(id)}
            onKeyDown={event => {
              const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key]
              if (by === undefined) return
              event.preventDefault()
              step(by)
            }}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        class="settings-page scroll"
        id="settings-page"
        role="tabpanel"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well.
        tabIndex={0}
        aria-labelledby={`settings-tab-${chosen}`}
      >
        {Page === undefined ? null : <Page />}
        {extension === undefined ? null : <ExtensionPage key={extension.id} page={extension} />}
      </div>
    </div>
  )
}

/** Where an extension builds its page. What it keeps is kept under its name. */
function ExtensionPage({ page }: { readonly page: SettingsPage }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const [problem, setProblem] = useState('')
  const name = page.id.split('.')[0] ?? page.id
  useEffect(() => {
    if (box.current === null) return
    try {
      return page.mount(box.current, settings.value?.extensions[name], async value => {
        change({ extensions: { ...settings.value?.extensions, [name]: value } })
        await savePreferences()
      })
    } catch (error) {
      setProblem(reasonOf(error))
    }
    return undefined
  }, [page])
  return (
    <>
      <div ref={box} />
      {problem === '' ? null : <p class="problem">This page cannot be shown: {problem}</p>}
    </>
  )
}
