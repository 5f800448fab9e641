// Writing mail, server side: drafts with files, sending and taking back, completion, recipients' security, the user's queue.
export { makeComposePart } from './calls.ts'
export { identitiesOf } from './identities.ts'
export { OutgoingFeed } from './outgoing.ts'
export { draftTables } from './schema.ts'
