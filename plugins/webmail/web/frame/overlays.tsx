// Shows what `overlay.ts` has: popups as modal dialogs of the browser, which hold the focus and give it back; the popover at
// its button; toasts.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../lib/api.ts'
import { placeAt } from '../lib/place.ts'
import { settled, showError } from '../state/busy.ts'
import { Icon } from './icons.tsx'
import {
  announcement,
  closePopover,
  closePopup,
  dismiss,
  toast as offer,
  type Popover,
  type Popup,
  popover,
  popups,
  type Toast,
  toasts,
} from './overlay.ts'
import './overlays.css'

/** Milliseconds that a toast stays. */
const TOAST_STAYS = 10_000

export function Overlays(): JSX.Element {
  const shown = popover.value
  const inPopup = shown?.anchor.closest('dialog.popup') ?? null
  return (
    <>
      {popups.value.map((popup, n) => (
        <PopupView key={`${n} ${popup.title}`} popup={popup} />
      ))}
      {shown === undefined || inPopup !== null ? null : <PopoverView key={shown.label} popover={shown} />}
      <Toasts />
      <p class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  )
}

function PopupView({ popup }: { readonly popup: Popup }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const close = (): void => closePopup(popup)
  useLayoutEffect(() => {
    const before = document.activeElement
    const element = dialog.current
    element?.showModal()
    return () => {
      element?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  const shown = popover.value
  return (
    <dialog
      ref={dialog}
      class="popup"
      aria-label={popup.title}
      onCancel={event => {
        event.preventDefault()
        if (popover.value !== undefined) closePopover()
        else if (popup.closable) close()
      }}
      onKeyDown={event => {
        // Browsers close a dialog at a second Escape in any case.
        if (event.key !== 'Escape') return
        event.preventDefault()
        if (popover.value !== undefined) closePopover()
        else if (popup.closable) close()
      }}
      onPointerDown={event => {
        if (popup.closable && event.target === dialog.current) close()
      }}
    >
      <div class="popup-box">
        <header class="popup-head">
          <h2>{popup.title}</h2>
          {popup.closable ? (
            <button type="button" class="icon" aria-label="Close" onClick={close}>
              <Icon name="close" />
            </button>
          ) : null}
        </header>
        <div class="popup-body scroll">{popup.render(close)}</div>
      </div>
      {shown !== undefined && dialog.current?.contains(shown.anchor) === true ? (
        <PopoverView key={shown.label} popover={shown} />
      ) : null}
    </dialog>
  )
}

const FOCUSABLE =
  '[autofocus], [data-autofocus], button:not(:disabled):not([tabindex="-1"]), input, select, textarea, a[href]'

function PopoverView({ popover: shown }: { readonly popover: Popover }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const put = (): void => {
      if (!shown.anchor.isConnected) {
        closePopover()
        return
      }
      const size = { width: element.offsetWidth, height: element.offsetHeight }
      const { left, top } = placeAt(shown.anchor.getBoundingClientRect(), size, {
        width: innerWidth,
        height: innerHeight,
      })
      element.style.left = `${left}px`
      element.style.top = `${top}px`
    }
    put()
    // A row or a list that it opened at has nothing to expand.
    if (shown.anchor.ariaHasPopup !== null) shown.anchor.setAttribute('aria-expanded', 'true')
    ;(element.querySelector<HTMLElement>(FOCUSABLE) ?? element).focus({ preventScroll: true })
    const observer = new ResizeObserver(put)
    observer.observe(element)
    const outside = (event: Event): void => {
      const target = event.target as Node
      if (!element.contains(target) && !shown.anchor.contains(target)) closePopover()
    }
    addEventListener('pointerdown', outside, true)
    addEventListener('resize', put)
    return () => {
      observer.disconnect()
      removeEventListener('pointerdown', outside, true)
      removeEventListener('resize', put)
      if (shown.anchor.ariaHasPopup !== null) shown.anchor.removeAttribute('aria-expanded')
      // Whoever opened something else, or clicked elsewhere, has moved the focus already.
      if (element.contains(document.activeElement) || document.activeElement === document.body) shown.anchor.focus()
    }
  }, [shown])
  return (
    <div
      ref={box}
      class="popover scroll"
      role="dialog"
      aria-label={shown.label}
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.preventDefault()
          event.stopPropagation()
          closePopover()
        } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
          if (moveFocus(event.currentTarget, event.key === 'ArrowDown' ? 1 : -1)) event.preventDefault()
        } else if (event.key === 'Tab') {
          trapTab(event, event.currentTarget)
        }
        // Keys of the page mean nothing while it is open, but for those with a modifier.
        if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation()
      }}
    >
      {shown.render(closePopover)}
    </div>
  )
}

function focusables(within: HTMLElement): HTMLElement[] {
  return [...within.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href]')].filter(
    e => !e.matches(':disabled') && e.offsetParent !== null,
  )
}

/** Between the buttons of a menu. */
function moveFocus(within: HTMLElement, by: 1 | -1): boolean {
  const all = focusables(within)
  const at = all.indexOf(document.activeElement as HTMLElement)
  if (document.activeElement instanceof HTMLSelectElement || document.activeElement instanceof HTMLTextAreaElement)
    return false
  all[(at + by + all.length) % all.length]?.focus()
  return all.length > 0
}

function trapTab(event: KeyboardEvent, within: HTMLElement): void {
  const all = focusables(within)
  const first = all[0]
  const last = all.at(-1)
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault()
    last?.focus()
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault()
    first?.focus()
  }
}

function Toasts(): JSX.Element {
  return (
    <section class="toasts" aria-label="Notices">
      {toasts.value.map(t => (
        <ToastView key={keyOf(t)} toast={t} />
      ))}
    </section>
  )
}

const keys = new WeakMap<Toast, number>()
let lastKey = 0

function keyOf(toast: Toast): number {
  const key = keys.get(toast) ?? ++lastKey
  keys.set(toast, key)
  return key
}

function ToastView({ toast }: { readonly toast: Toast }): JSX.Element {
  const [held, setHeld] = useState(false)
  useEffect(() => {
    // Who reads it with the pointer or the focus on it is not hurried; an error waits to be seen.
    if (held || toast.kind === 'error') return
    const timer = setTimeout(() => dismiss(toast), toast.duration ?? TOAST_STAYS)
    return () => clearTimeout(timer)
  }, [held])
  return (
    <div
      class={toast.kind === 'error' ? 'toast error' : 'toast'}
      role={toast.kind === 'error' ? 'alert' : 'status'}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocusIn={() => setHeld(true)}
      onFocusOut={() => setHeld(false)}
    >
      <span>{toast.text}</span>
      {toast.undo === undefined ? null : (
        <button type="button" class="undo" onClick={() => void takeBack(toast)}>
          Undo
        </button>
      )}
      <button type="button" class="icon" aria-label="Dismiss" onClick={() => dismiss(toast)}>
        <Icon name="close" size={14} />
      </button>
    </div>
  )
}

/** What the button of a toast does. */
async function takeBack(which: Toast): Promise<void> {
  dismiss(which)
  try {
    await which.undo?.()
    announcement.value = `Undone: ${which.text}`
  } catch (error) {
    // It can be tried again.
    if (error instanceof ApiError && error.code === 'connection') offer(which)
    showError(error)
  }
}

/** Takes the last thing back that can be, which may be just being done; answers false when there is none. */
export async function undoLast(): Promise<boolean> {
  await settled()
  const last = toasts.value.findLast(t => t.undo !== undefined)
  if (last === undefined) return false
  void takeBack(last)
  return true
}
