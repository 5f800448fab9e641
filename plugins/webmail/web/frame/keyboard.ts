// The keyboard of the page: keys become commands. A popup has all keys for itself, as has whoever took them with `takeKeys`.
import type { Command, CommandContext, ExtensionMessage } from '@mox/plugin-sdk/webmail'
import { commands } from '../extend/registry.ts'
import { commandOf, keysOf, type Place } from '../lib/dispatch.ts'
import { keyName } from '../lib/keys.ts'
import { showError } from '../state/busy.ts'
import { itemsOf } from '../state/lookup.ts'
import { target as where } from '../state/navigate.ts'
import { typedAhead } from '../state/opening.ts'
import { focused, opened, selected, settings, view } from '../state/store.ts'
import { flashKey } from './hint.ts'
import { popups } from './overlay.ts'

type Taker = (name: string, event: KeyboardEvent) => boolean
const takers: Taker[] = []

/** Takes all keys until released, as the attachment viewer does. The taker answers whether the key meant something. */
export function takeKeys(taker: Taker): () => void {
  takers.push(taker)
  return () => {
    const at = takers.lastIndexOf(taker)
    if (at >= 0) takers.splice(at, 1)
  }
}

/** Listens to keys of the whole page. Parts that handle a key themselves call `preventDefault`. */
export function startKeyboard(): void {
  addEventListener('keydown', event => {
    if (event.defaultPrevented || event.isComposing) return
    if (typedAhead(event)) return event.preventDefault()
    if (popups.value.length > 0) return
    const name = keyName(event)
    const taker = takers.at(-1)
    if (taker !== undefined) {
      if (name !== '' && taker(name, event)) event.preventDefault()
      return
    }
    const target = event.target instanceof HTMLElement ? event.target : document.body
    const command = commandOf(name, commands.value, {
      place: placeOf(target),
      contexts: contextsAt(target),
      singleKeys: settings.value?.singleKeys ?? true,
      chosen: settings.value?.keys ?? {},
    })
    if (command === undefined) return
    event.preventDefault()
    void runCommand(command)
  })
}

function placeOf(target: HTMLElement): Place {
  if (target.isContentEditable) return 'field'
  if (target.matches('textarea, select')) return 'field'
  if (target.matches('input'))
    return target.matches('[type=checkbox], [type=radio], [type=button]') ? 'control' : 'field'
  return target.matches('button, a[href], summary, [role=menuitem], [role=tab], [role=treeitem]') ? 'control' : 'page'
}

/** A list and a message are shown; else their commands would be about what nobody sees. */
export function isReading(): boolean {
  return where.value.kind !== 'outgoing'
}

/** Compose windows have `data-context="compose"`. */
function contextsAt(target: HTMLElement): readonly CommandContext[] {
  if (target.closest('[data-context=compose]') !== null) return ['compose', 'global']
  return isReading() ? ['global', 'list', 'message'] : ['global']
}

/** Runs a command with the messages that it is about. A failure is shown. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.run(messagesOf(command.context))
  } catch (error) {
    showError(error)
  }
}

/** Runs a command by its id, for a button: flashes its key, so that it can be learned. */
export function press(id: string): void {
  const command = commands.value.find(c => c.id === id)
  if (command === undefined) return
  flashKey(id)
  void runCommand(command)
}

/** The first key of a command; '' for none. */
export function keyOf(id: string): string {
  const command = commands.value.find(c => c.id === id)
  return command === undefined ? '' : (keysOf(command, settings.value?.keys ?? {})[0] ?? '')
}

function messagesOf(context: CommandContext): readonly ExtensionMessage[] {
  if (context === 'message') {
    const message = opened.value
    const ids = message === undefined ? [] : [message.id]
    return extensionMessages(ids)
  }
  if (context !== 'list' || view.value === undefined) return []
  const ids = selected.value.length > 0 ? selected.value : focused.value === undefined ? [] : [focused.value]
  return extensionMessages(ids)
}

function extensionMessages(ids: readonly number[]): readonly ExtensionMessage[] {
  const found = itemsOf(ids)
  return ids.flatMap(id => {
    const item = found.get(id)
    return item === undefined ? [] : { id, mailboxId: item.mailboxId, subject: item.subject, from: item.from }
  })
}
