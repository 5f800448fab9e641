// What the page can do, from all who add to it: the page's own parts and extensions use the same registry.

import type { Command, ComposeCheck, ListBadge, MessagePanel, SettingsPage } from '@mox/plugin-sdk/webmail'
import { type Signal, signal } from '@preact/signals'

export const commands: Signal<readonly Command[]> = signal([])
export const panels: Signal<readonly MessagePanel[]> = signal([])
export const composeChecks: Signal<readonly ComposeCheck[]> = signal([])
export const badges: Signal<readonly ListBadge[]> = signal([])
export const settingsPages: Signal<readonly SettingsPage[]> = signal([])

/** Adds one; an id that is there already is an error, as is one of a foreign extension. */
export function register<T extends { readonly id: string }>(list: Signal<readonly T[]>, entry: T): void {
  if (list.value.some(e => e.id === entry.id)) throw new Error(`${entry.id} is registered twice`)
  list.value = [...list.value, entry]
}

export function registerCommand(command: Command): void {
  register(commands, command)
}
