// Composing messages: `headerSection` and `composeMessage` give the bytes of a checked draft; `composeWithFiles` streams large
// attachments into it. For plugins that send what people or programs write.
export { composeMessage } from './content.ts'
export { type AttachedFile, composeWithFiles } from './files.ts'
export { formatMailbox, headerSection } from './head.ts'
export { type ComposeDraft, ComposeError, type ComposeFile, type Mailbox } from './message.ts'
