// The script of the extension, which the webmail loads: what it adds to the page.
import type { ExtensionMessage, ExtensionScript } from '@mox/plugin-sdk/webmail'
import type { Invitation } from '../src/invitation.ts'
import { mountPanel } from './panel.ts'
import { mountSettings, readChosen } from './settings.ts'
import { wrongWeekday } from './weekdays.ts'
import { whenText } from './when.ts'

const ANSWERS = [
  ['accept', 'Accept', 'I will be there'],
  ['maybe', 'Maybe', 'I may be there, but cannot say yet'],
  ['decline', 'Decline', 'I cannot be there'],
] as const

const extension: ExtensionScript = registry => {
  /** The invitation of the message that is open. */
  let shown: { readonly message: ExtensionMessage; readonly invitation: Invitation } | undefined
  const current = () => {
    if (shown === undefined) throw new Error('This message has no invitation')
    return shown
  }
  const answer = async (text: string): Promise<void> => {
    const { message, invitation } = current()
    const when = whenText(invitation, readChosen(registry.stored()))
    await registry.reply(message, `${text}: ${invitation.summary || 'your invitation'}, ${when}.\n`)
  }
  const download = (): void => {
    const { message, invitation } = current()
    const link = document.createElement('a')
    Object.assign(link, { href: `msg/${message.id}/download/${invitation.path}`, download: 'invitation.ics' })
    link.click()
  }

  registry.badge({ id: 'invitations/invite', text: 'invite', title: 'Has an entry for the calendar' })
  for (const [id, title, text] of ANSWERS)
    registry.command({
      id: `invitations.${id}`,
      title: `Invitation: ${title.toLowerCase()}`,
      context: 'message',
      run: () => answer(text),
    })
  registry.command({
    ...{ id: 'invitations.download', title: 'Invitation: download for a calendar', context: 'message', run: download },
  })
  registry.panel({
    id: 'invitations.panel',
    title: 'Invitation',
    mount: (element, message, data) => {
      // Only what the server's side of this extension said.
      const invitation = data as Invitation
      const here = { message, invitation }
      shown = here
      const answers = ANSWERS.map(([id, title, text]) => ({
        ...{ title, primary: id === 'accept' },
        run: () => void answer(text),
      }))
      const asked = invitation.method === 'request' && !invitation.cancelled
      const actions = [...(asked ? answers : []), { title: 'Download .ics', run: download }]
      mountPanel(element as HTMLElement, invitation, readChosen(registry.stored()), actions)
      return () => {
        if (shown === here) shown = undefined
      }
    },
  })
  registry.composeCheck({
    id: 'invitations.weekday',
    check: ({ text }) => {
      const wrong = wrongWeekday(text, Date.now())
      return wrong === undefined ? undefined : { text: wrong, ask: true }
    },
  })
  registry.settingsPage({
    id: 'invitations.settings',
    title: 'Invitations',
    mount: (element, stored, save) => {
      mountSettings(element as HTMLElement, stored, save)
      return undefined
    },
  })
}

export default extension
