// The title of the window, by which it is found among others.
import { effect } from '@preact/signals'
import type { Target } from '../lib/route.ts'
import { target } from '../state/navigate.ts'
import { connected, hello, mailboxes } from '../state/store.ts'

const PRODUCT = 'mox'

/** `unread`: of the open mailbox; undefined where that is not known. */
export function titleOf(now: Target, unread: number | undefined, address: string, online: boolean): string {
  const tail = [address, PRODUCT].filter(s => s !== '').join(' - ')
  if (!online) return address === '' ? PRODUCT : `(not connected) - ${tail}`
  if (now.kind === 'outgoing') return `Outgoing - ${tail}`
  if (now.kind === 'search') return tail
  return `${unread === undefined ? '' : `(${unread}) `}${now.mailbox} - ${tail}`
}

export function startTitle(): void {
  effect(() => {
    const now = target.value
    const unread =
      now.kind === 'mailbox' ? [...mailboxes.value.values()].find(m => m.name === now.mailbox)?.unread : undefined
    document.title = titleOf(now, unread, hello.value?.loginAddress ?? '', connected.value)
  })
}
