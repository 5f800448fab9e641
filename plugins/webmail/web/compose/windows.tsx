// Writing messages, for the rest of the page: the windows, and how they are opened. What they are made of is loaded when the
// first one opens.
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { composeChecks, register, registerCommand } from '../extend/registry.ts'
import { showError } from '../state/busy.ts'
import { onLeaving } from '../state/leaving.ts'
import { draftInAddress } from '../state/navigate.ts'
import { opening } from '../state/opening.ts'
import { hello } from '../state/store.ts'
import type { ComposeRequest } from './begin.ts'
import { emptySubject, forgottenFile } from './checks.ts'

type Loaded = typeof import('./loaded.tsx')

const loaded: Signal<Loaded | undefined> = signal(undefined)
const shown: ReadonlySignal<JSX.Element | null> = computed(() => {
  const parts = loaded.value
  return parts === undefined ? null : <parts.Windows />
})

export function ComposeWindows(): JSX.Element | null {
  return shown.value
}

async function load(): Promise<Loaded> {
  const parts = await import('./loaded.tsx')
  loaded.value = parts
  return parts
}

/** Opens a window with what the request begins with. */
export function openCompose(request: ComposeRequest): void {
  opening(async () => await (await load()).open(request)).catch(showError)
}

/** What was sent a moment ago, or waits for its time, becomes a draft again and is opened. */
export async function takeSentBack(sent: string): Promise<void> {
  await (await load()).takeSentBack(sent)
}

/** Commands, the page's address, and what an earlier page could not save. */
export function startCompose(): void {
  for (const check of [forgottenFile, emptySubject]) register(composeChecks, check)
  const wanted = draftInAddress.value
  const stop = hello.subscribe(now => {
    if (now === undefined) return
    queueMicrotask(() => stop())
    if (wanted === undefined && !hasUnsaved()) return
    load()
      .then(parts => parts.resume(wanted))
      .catch(showError)
  })
  onLeaving(async keepalive => {
    takeTyped()
    await loaded.value?.saveAll(keepalive)
  })
  addEventListener('beforeunload', event => {
    takeTyped()
    if (loaded.value?.unsaved() === true) event.preventDefault()
  })
  registerComposeCommands()
}

/** What is half-typed in a field for recipients is taken when it loses the focus. Answers the field. */
export function takeTyped(): HTMLElement | undefined {
  const focused = document.activeElement
  if (!(focused instanceof HTMLElement) || !focused.matches('.typing input')) return undefined
  focused.blur()
  return focused
}

/** Where what is not saved waits, in the tab's storage. */
export const UNSAVED = 'webmail-unsaved '

function hasUnsaved(): boolean {
  return Object.keys(sessionStorage).some(key => key.startsWith(UNSAVED))
}

function registerComposeCommands(): void {
  const compose = (id: string, title: string, key: string, button: string): void =>
    registerCommand({
      ...{ id: `compose.${id}`, title, context: 'compose', key },
      run: () => loaded.value?.press(button),
    })
  compose('send', 'Send', 'ctrl Enter', 'send')
  compose('sendArchive', 'Send and archive the thread', 'ctrl shift Enter', 'send-archive')
  compose('close', 'Save and close', 'ctrl S, ctrl w', 'close')
  compose('save', 'Save now', 'ctrl s', 'save')
  compose('to', 'Go to To', 'ctrl O', 'to')
  compose('cc', 'Add Cc', 'ctrl C', 'cc')
  compose('bcc', 'Add Bcc', 'ctrl B', 'bcc')
  compose('replyTo', 'Add Reply-To', 'ctrl Y', 'reply-to')
}
