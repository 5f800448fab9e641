// The way from the webmail to the page of messages: a command of the webmail.
import type { WebmailExtension } from '@mox/plugin-sdk'

export const messagesCommand: WebmailExtension = {
  name: 'localserve',
  title: 'Test server',
  script: `export default registry =>
  registry.command({
    id: 'localserve.messages',
    title: 'Show all messages of the test server, with their traces',
    context: 'global',
    run: () => location.assign('/messages'),
  })
`,
}
