// Going from place to place: mailboxes, searches, the outgoing mail, one message. What is open is in the page's address, with
// an entry in the history for each place that was gone to.
import { batch, computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals'
import { formatPlace, type Place, parseRoute, type Target } from '../lib/route.ts'
import { openView } from '../lib/stream.ts'
import { mailboxNamed } from './lookup.ts'
import { focused, mailboxes, narrow, selected, settings } from './store.ts'

export const target: Signal<Target> = signal({ kind: 'mailbox', mailbox: 'Inbox' })
/** The draft that is being written, for the address. */
export const draftInAddress: Signal<string | undefined> = signal(undefined)
/** Whether the drawer with the mailboxes is open, on a phone. */
export const drawer: Signal<boolean> = signal(false)

/** Which of the panes a phone shows. */
export const pane: ReadonlySignal<'mailboxes' | 'list' | 'message'> = computed(() =>
  drawer.value ? 'mailboxes' : selected.value.length === 1 && target.value.kind !== 'outgoing' ? 'message' : 'list',
)

/** Loads what a target shows; `until`: and goes on until this message is among the rows. */
export type Opener = (target: Target, until: number | undefined) => void
let opener: Opener = (next, until) => {
  if (next.kind !== 'mailbox') return
  const order = settings.value?.order ?? 'newest'
  const threads = settings.value?.threading !== 'off'
  openView({ scope: { mailbox: next.mailbox }, order, threads }, until === undefined ? {} : { until })
}
let mailto: (url: string) => void = () => undefined

/** The list says how a mailbox or a search becomes a view. */
export function setOpener(open: Opener): void {
  opener = open
}

/** The writing part says how a mailto: URL is begun. */
export function onMailto(begin: (url: string) => void): void {
  mailto = begin
}

export function openMailbox(name: string): void {
  go({ target: { kind: 'mailbox', mailbox: name } })
}

export function openSearch(query: string): void {
  go({ target: { kind: 'search', query } })
}

export function openOutgoing(): void {
  go({ target: { kind: 'outgoing' } })
}

/** Goes to a place, and to a message of it. */
export function go(place: Place): void {
  // Together, so that the old place's entry is left before anything follows the change.
  batch(() => {
    show(place)
    drawer.value = false
    write('push')
  })
}

/** From the message to the list, on a phone. */
export function backToList(): void {
  if (history.state?.['message'] === true) history.back()
  else selected.value = []
}

function show({ target: next, message }: Place): void {
  batch(() => {
    target.value = next
    selected.value = message === undefined ? [] : [message]
    focused.value = message
    opener(next, message)
  })
}

function current(): Place {
  const message = selected.value.length === 1 ? selected.value[0] : undefined
  return {
    target: target.value,
    ...(message === undefined ? {} : { message }),
    ...(draftInAddress.value === undefined ? {} : { draft: draftInAddress.value }),
  }
}

/** A message is an entry of its own only on a phone, where it is a screen of its own. */
function write(how: 'push' | 'replace'): void {
  const place = current()
  const hash = formatPlace(place)
  if (hash === location.hash) return
  // Only from an entry that was made for the message does back lead to its list.
  const own = how === 'push' ? narrow.value : history.state?.['message'] === true
  const state = { message: own && place.message !== undefined }
  if (how === 'push') history.pushState(state, '', hash)
  else history.replaceState(state, '', hash)
}

/** Opens what the address says, now and when it changes, and keeps the address right. */
export function startNavigation(): void {
  let leaving = false
  const read = (): void => {
    leaving = false
    const route = parseRoute(location.hash)
    if ('mailto' in route) {
      mailto(route.mailto)
      go({ target: target.value })
      return
    }
    draftInAddress.value = route.draft
    const same = formatPlace({ target: route.target }) === formatPlace({ target: target.value })
    if (!same) show(route)
    else if (route.message !== current().message) {
      selected.value = route.message === undefined ? [] : [route.message]
      focused.value = route.message ?? focused.value
    }
  }
  const first = parseRoute(location.hash)
  if ('mailto' in first) mailto(first.mailto)
  else draftInAddress.value = first.draft
  show('mailto' in first ? { target: target.value } : first)
  addEventListener('popstate', read)
  effect(() => {
    const message = selected.value.length === 1
    draftInAddress.value
    const own = history.state?.['message'] === true
    // The message's screen has gone, as the last message was moved: a second entry of the list would make back do nothing.
    if (narrow.value && own && !message && !leaving) {
      leaving = true
      history.back()
    } else if (!leaving) write(narrow.value && message && !own ? 'push' : 'replace')
  })
  followRenames()
}

/** A renamed mailbox stays open under its new name; one that is removed gives way to Inbox. */
function followRenames(): void {
  let last: { readonly name: string; readonly id: number } | undefined
  effect(() => {
    const now = target.value
    const all = mailboxes.value
    if (now.kind !== 'mailbox') {
      last = undefined
      return
    }
    const { mailbox: name } = now
    const named = mailboxNamed(name)
    if (named !== undefined || last?.name !== name) {
      last = named === undefined ? undefined : { name, id: named.id }
      return
    }
    const renamed = all.get(last.id)
    if (renamed === undefined) {
      // Before the first greeting, and after logging out, there are none at all.
      if (all.size > 0) untracked(() => openMailbox('Inbox'))
      return
    }
    last = { name: renamed.name, id: renamed.id }
    target.value = { kind: 'mailbox', mailbox: renamed.name }
    untracked(() => write('replace'))
  })
}
