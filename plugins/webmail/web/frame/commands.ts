// Commands that are there everywhere.
import { openCompose } from '../compose/windows.tsx'
import { registerCommand } from '../extend/registry.ts'
import { reconnect } from '../lib/stream.ts'
import { backToList, drawer, openMailbox, openOutgoing, pane } from '../state/navigate.ts'
import { opening } from '../state/opening.ts'
import { change } from '../state/preferences.ts'
import { narrow, settings } from '../state/store.ts'
import { addOneMore } from './login.tsx'
import { announcement } from './overlay.ts'
import { undoLast } from './overlays.tsx'
import { logout, logoutAll, nextAccount } from './session.ts'
import { showTooltips } from './tooltips.ts'

/** Gives the focus to the first that is there. */
function focusOn(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus()
}

export function registerFrameCommands(): void {
  const global = (id: string, title: string, key: string, run: () => void | Promise<void>): void =>
    registerCommand({ id: `global.${id}`, title, context: 'global', ...(key === '' ? {} : { key }), run })
  const popup = (id: string, title: string, key: string, open: () => Promise<void>): void =>
    global(id, title, key, () => opening(open))
  global('compose', 'Write a message', 'c', () => openCompose({ kind: 'new' }))
  global('search', 'Search', '/', () => focusOn('#search input, input[type=search]'))
  global('back', 'Back to the list', 'Escape', () => {
    if (drawer.value) drawer.value = false
    else if (narrow.value && pane.value === 'message') backToList()
  })
  global('inbox', 'Open Inbox', 'i', () => openMailbox('Inbox'))
  global('outgoing', 'Open outgoing messages', '', openOutgoing)
  global('mailboxes', 'Focus the mailboxes', 'g', () => focusOn('.mailboxes [role=treeitem][tabindex="0"]'))
  global('message', 'Focus the message', 'ctrl m', () => focusOn('.message-pane button:not(:disabled)'))
  popup('palette', 'Find a command or mailbox', 'ctrl k', async () => (await import('./palette.tsx')).openPalette())
  global('undo', 'Undo', 'ctrl z', async () => {
    if (!(await undoLast())) announcement.value = 'Nothing to undo'
  })
  popup('help', 'Help and keyboard shortcuts', '?', async () => (await import('./help.tsx')).openHelp())
  global('tooltips', 'Show tooltips', 'ctrl ?', showTooltips)
  popup('settings', 'Settings', 'ctrl !', async () => (await import('../settings/dialog.tsx')).openSettings())
  global('theme', 'Light or dark', '', () => change({ theme: settings.value?.theme === 'dark' ? 'light' : 'dark' }))
  global('reconnect', 'Reconnect', '', reconnect)
  global('addAccount', 'Add an account', '', addOneMore)
  global('nextAccount', 'Next account', 'ctrl alt a', nextAccount)
  popup('inboxes', 'All inboxes', 'ctrl alt i', async () => (await import('../inboxes/inboxes.tsx')).openInboxes())
  global('logout', 'Log out', '', logout)
  global('logoutAll', 'Log out of all accounts', '', logoutAll)
}
