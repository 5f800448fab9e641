// @mox/plugin-webmail-invitations: calendar invitations in the webmail, and the example of an extension of it: a panel, a badge,
// commands, a compose check and a settings page. It stores nothing but what the settings page keeps.
import { definePlugin, type PluginFactory, webmailExtensions } from '@mox/plugin-sdk'
import { parseInvitation } from './parse.ts'
import { readScript } from './script.ts'

export const webmailInvitations: PluginFactory<undefined> = definePlugin({
  name: 'webmail-invitations',
  provides: { webmailExtensions },
  setup: () => ({
    services: {
      webmailExtensions: {
        name: 'invitations',
        title: 'Invitations',
        script: readScript(),
        badges: messages =>
          new Map(messages.filter(m => m.attachments.includes('calendar')).map(m => [m.id, ['invite']] as const)),
        panel: message => {
          for (const type of ['text/calendar', 'application/ics'])
            for (const { path, text } of message.parts(type)) {
              const invitation = parseInvitation(text, path)
              if (invitation !== undefined) return invitation
            }
          return undefined
        },
      },
    },
  }),
})
