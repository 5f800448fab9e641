// Popups, popovers and toasts: what stands above the page. A popup is modal and gives the focus back when it closes; a popover
// belongs to the button that opened it; a toast says what was done and offers to take it back.
import { type Signal, signal } from '@preact/signals'
import type { ComponentChild } from 'preact'

export interface Popup {
  readonly title: string
  /** False for what must be answered, such as the login. */
  readonly closable: boolean
  render(close: () => void): ComponentChild
  onClose?(): void
}

export interface Popover {
  readonly anchor: HTMLElement
  readonly label: string
  render(close: () => void): ComponentChild
}

export interface Toast {
  readonly text: string
  readonly undo?: () => void | Promise<void>
  /** Milliseconds that it stays; default 10,000. */
  readonly duration?: number
  /** An error stays until it is dismissed. */
  readonly kind?: 'error'
}

/** The topmost last. */
export const popups: Signal<readonly Popup[]> = signal([])
export const popover: Signal<Popover | undefined> = signal(undefined)
export const toasts: Signal<readonly Toast[]> = signal([])
/** What screen readers are told. */
export const announcement: Signal<string> = signal('')

/** Shows a popup; returns how to close it. */
export function openPopup(popup: Popup): () => void {
  popups.value = [...popups.value, popup]
  return () => closePopup(popup)
}

export function closePopup(popup: Popup): void {
  if (!popups.value.includes(popup)) return
  popups.value = popups.value.filter(p => p !== popup)
  popup.onClose?.()
}

/** Opens at a button; a second press of it closes. */
export function openPopover(next: Popover): void {
  popover.value = popover.value?.anchor === next.anchor ? undefined : next
}

export function closePopover(): void {
  popover.value = undefined
}

export function toast(next: Toast): void {
  const others = toasts.value.filter(t => next.kind !== 'error' || t.kind !== 'error' || t.text !== next.text)
  toasts.value = [...others.slice(-2), next]
}

/** A `ref`: takes the focus when it appears, in a popup that is open already too. */
export const focus = (element: HTMLElement | null): void => element?.focus()

export function dismiss(which: Toast): void {
  toasts.value = toasts.value.filter(t => t !== which)
}
