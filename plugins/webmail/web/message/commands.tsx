// What can be done with the message that is open.
import type { Command } from '@mox/plugin-sdk/webmail'
import type { OpenedMessage, ViewMode } from '../../src/api/model.ts'
import type { ComposeRequest } from '../compose/begin.ts'
import { openCompose } from '../compose/windows.tsx'
import { registerCommand } from '../extend/registry.ts'
import { announcement, toast } from '../frame/overlay.ts'
import { local, setLocal } from '../state/local.ts'
import { opened, selected, settings } from '../state/store.ts'
import { BODY_ID } from './body.tsx'
import { modeOf, modesOf, nextHtml } from './modes.ts'
import { chooseMode, viewer } from './state.ts'
import { confirmUnsubscribe } from './unsubscribe.tsx'

/** Does something with the open message; says so when there is none. */
function withMessage(work: (message: OpenedMessage) => void | Promise<void>): () => void | Promise<void> {
  return () => {
    const message = opened.value
    if (message !== undefined) return work(message)
    // While it is being loaded the key was only too early.
    if (selected.value.length !== 1) toast({ text: 'No message is open' })
  }
}

/** What the reader marked in the text of the message; '' for nothing. */
function selectionText(): string {
  const selection = getSelection()
  const body = document.getElementById(BODY_ID)
  if (selection === null || selection.isCollapsed || body === null) return ''
  const inside = body.contains(selection.anchorNode) && body.contains(selection.focusNode)
  return inside ? selection.toString() : ''
}

function compose(kind: ComposeRequest['kind']): (message: OpenedMessage) => void {
  return message => openCompose({ kind, message, selectionText: selectionText() })
}

/** In a tab of its own, which knows nothing of this one. */
function openTab(path: string): void {
  window.open(path, '_blank', 'noopener')
}

const PAGES: Readonly<Record<ViewMode, string>> = { text: 'msgtext', html: 'msghtml', external: 'msghtmlexternal' }
const pageOf = (message: OpenedMessage): string => `msg/${message.id}/${PAGES[modeOf(message, settings.value)]}`

function show(mode: ViewMode, missing: string): (message: OpenedMessage) => void {
  return message => {
    if (modesOf(message).includes(mode)) chooseMode(mode)
    else toast({ text: missing })
  }
}

function showHtml(message: OpenedMessage): void {
  const next = nextHtml(message, modeOf(message, settings.value))
  if (next === undefined) toast({ text: 'This message has no HTML' })
  else chooseMode(next)
}

/** By a share of its height, or to an end. HTML is in a frame that only the user can scroll: it gets the focus for that. */
function scroll(to: number | 'top' | 'end'): void {
  const body = document.getElementById(BODY_ID)
  if (body === null) return
  if (body instanceof HTMLIFrameElement) {
    body.focus()
    announcement.value = 'The message has the focus: scroll with the arrow keys, leave with Tab'
    return
  }
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'
  if (typeof to === 'number') body.scrollBy({ top: body.clientHeight * to, behavior })
  else body.scrollTo({ top: to === 'top' ? 0 : body.scrollHeight, behavior })
}

function openViewer({ attachments }: OpenedMessage): void {
  const [first] = attachments
  if (first === undefined) toast({ text: 'This message has no attachments' })
  else viewer.value = first.path
}

async function showDecoded({ id, texts, htmlPath, ...message }: OpenedMessage): Promise<void> {
  const html = modeOf({ texts, htmlPath, ...message }, settings.value) !== 'text'
  const path = html ? htmlPath : texts[0]?.path
  if (path === undefined || path === '') toast({ text: 'This message has no text' })
  else openTab(`msg/${id}/viewtext/${path}`)
}

const COMMANDS: readonly (readonly [
  id: string,
  title: string,
  key: string,
  run: (message: OpenedMessage) => void | Promise<void>,
])[] = [
  ['reply', 'Reply', 'r', compose('reply')],
  ['replyAll', 'Reply to all', 'R', compose('replyAll')],
  [
    'replyList',
    'Reply to the list',
    'alt r',
    message => {
      if (message.listAddress === '') toast({ text: 'This message is not from a list that can be written to' })
      else compose('replyList')(message)
    },
  ],
  ['forward', 'Forward', 'f', compose('forward')],
  ['forwardAttached', 'Forward as attachment', '', compose('forwardAttached')],
  [
    'edit',
    'Edit the draft',
    'e',
    message => {
      if (message.draft) compose('edit')(message)
      else toast({ text: 'Only drafts can be edited' })
    },
  ],
  ['attachments', 'View attachments', 'v', openViewer],
  ['text', 'Show the text', 't', show('text', 'This message has no text')],
  ['toggleHtml', 'Show the HTML, then with external resources', 'T', showHtml],
  ['html', 'Show the HTML', '', show('html', 'This message has no HTML')],
  [
    'external',
    'Show the HTML with external resources',
    '',
    show('external', 'This message asks for nothing from elsewhere'),
  ],
  ['openTab', 'Open in a new tab', 'o', message => openTab(pageOf(message))],
  ['raw', 'Show the raw original in a new tab', 'O', message => openTab(`msg/${message.id}/raw`)],
  ['downloadRaw', 'Download the raw original', '', message => location.assign(`msg/${message.id}/rawdl`)],
  ['decoded', 'Show what is shown as decoded text', '', showDecoded],
  ['print', 'Print', 'ctrl p', message => openTab(`${pageOf(message)}#print`)],
  ['internals', 'Show internals', 'I', async ({ id }) => (await import('./details.tsx')).openInternals(id)],
  ['trace', 'Show the way of the message', 'alt t', async ({ id }) => (await import('./details.tsx')).openTrace(id)],
  ['export', 'Export as…', '', async ({ id }) => (await import('../mailboxes/export.tsx')).openExport([id])],
  [
    'unsubscribe',
    'Unsubscribe from the mailing list',
    '',
    message => {
      if (message.unsubscribe === null) toast({ text: 'This message does not say how to unsubscribe' })
      else confirmUnsubscribe(message)
    },
  ],
  ['allHeaders', 'Show or hide all headers', 'ctrl i', () => setLocal({ showAllHeaders: !local.value.showAllHeaders })],
  ['scrollDown', 'Scroll down', 'alt j, alt ArrowDown', () => scroll(0.75)],
  ['scrollUp', 'Scroll up', 'alt k, alt ArrowUp', () => scroll(-0.75)],
  ['scrollEnd', 'Scroll to the end', 'alt J', () => scroll('end')],
  ['scrollTop', 'Scroll to the top', 'alt K', () => scroll('top')],
]

export function registerMessageCommands(): void {
  for (const [id, title, key, run] of COMMANDS) {
    const command: Command = { id: `message.${id}`, title, context: 'message', key, run: withMessage(run) }
    registerCommand(command)
  }
}
