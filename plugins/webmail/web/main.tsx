// The webmail page. Everything on it is in the folder of its part; this puts them together.
import './lib/zod.ts'
import { render } from 'preact'
import { openCompose, startCompose } from './compose/windows.tsx'
import { App } from './frame/app.tsx'
import { registerFrameCommands } from './frame/commands.ts'
import { startDrops } from './frame/drops.ts'
import { startErrors } from './frame/errors.tsx'
import { startKeyboard } from './frame/keyboard.ts'
import { startLayout } from './frame/layout.ts'
import { startLogin } from './frame/login.tsx'
import { startNotifications } from './frame/notify.ts'
import { startVersionCheck } from './frame/session.ts'
import { startTitle } from './frame/title.ts'
import { restoreStream, startStream } from './lib/stream.ts'
import { startList } from './list/list.tsx'
import { startMessage } from './message/pane.tsx'
import { flushDeletes } from './state/deletes.ts'
import { onLeaving, startLeaving } from './state/leaving.ts'
import { startLocal } from './state/local.ts'
import { onMailto, startNavigation } from './state/navigate.ts'
import { savePreferences, startPreferences } from './state/preferences.ts'
import './style/theme.css'
import './style/base.css'

startErrors()
startLocal()
startLayout()
startLogin()
startPreferences()
startTitle()
startNotifications()
startKeyboard()
registerFrameCommands()
startList()
startMessage()
startVersionCheck()
startLeaving()
onLeaving(flushDeletes)
onLeaving(savePreferences)
startDrops()
onMailto(mailto => openCompose({ kind: 'new', mailto }))

const root = document.getElementById('app')
if (root !== null) {
  // A script of the operator may change what the page is put into.
  const { moxBeforeDisplay } = globalThis as { moxBeforeDisplay?: (root: HTMLElement) => void }
  if (typeof moxBeforeDisplay === 'function') moxBeforeDisplay(root)
  render(<App />, root)
}
await restoreStream()
startStream()
startNavigation()
startCompose()
