// The calls for writing mail.
import type { DestinationPolicies, Dns } from '@mox/plugin-sdk'
import type { Handlers } from '../call.ts'
import type { Part } from '../part.ts'
import { completeRecipient } from './completion.ts'
import { Drafts } from './drafts.ts'
import { identitiesOf } from './identities.ts'
import { cancelOutgoing, listOutgoing, rescheduleOutgoing } from './outgoing.ts'
import { recipientSecurity } from './security.ts'
import { Sending } from './send.ts'
import type { ComposeServices } from './services.ts'
import { uploadRoute } from './upload.ts'

export type ComposeCalls =
  | 'draftCreate'
  | 'draftSave'
  | 'draftOpen'
  | 'draftGet'
  | 'draftRemove'
  | 'draftAttach'
  | 'draftAttachMessage'
  | 'draftDetach'
  | 'send'
  | 'sendUndo'
  | 'completeRecipient'
  | 'recipientSecurity'
  | 'identities'
  | 'outgoing'
  | 'outgoingCancel'
  | 'outgoingReschedule'

export interface ComposeOptions extends ComposeServices {
  readonly dns: Dns | undefined
  readonly policies: readonly DestinationPolicies[]
}

/** All that writing mail needs of the server. */
export function makeComposePart(services: ComposeOptions): Part {
  const drafts = new Drafts(services)
  const sending = new Sending(services, drafts)
  const { directory, mailboxes } = services
  const calls: Handlers<ComposeCalls> = {
    draftCreate: ({ id, draft }, { account }) => drafts.create(account, draft, [], id),
    draftSave: ({ id, revision, draft }, { account }) => drafts.save(account, id, revision, draft),
    draftOpen: ({ messageId }, { account }) => drafts.open(account, messageId),
    draftGet: ({ id }, { account }) => drafts.get(account, id),
    draftRemove: async ({ id }, { account }) => {
      await drafts.remove(account, id)
      return {}
    },
    draftAttach: async ({ id, messageId, paths }, { account }) => ({
      attachments: await drafts.attachFrom(account, id, messageId, paths),
    }),
    draftAttachMessage: async ({ id, messageId }, { account }) => ({
      attachments: await drafts.attachFrom(account, id, messageId),
    }),
    draftDetach: async ({ id, attachment }, { account }) => ({
      attachments: await drafts.detach(account, id, attachment),
    }),
    send: async (request, caller) => {
      const { undoUntil, sent, warnings } = await sending.send(caller, request)
      return { undoUntil, sent, warnings: [...warnings] }
    },
    sendUndo: ({ sent }, { account }) => sending.undo(account, sent),
    completeRecipient: ({ text }, { account }, signal) => completeRecipient(mailboxes, account, text, signal),
    recipientSecurity: ({ address }, { account }, signal) => recipientSecurity(services, account, address, signal),
    identities: async (_, { account, loginAddress }) => ({
      identities: await identitiesOf(directory, account, loginAddress),
    }),
    outgoing: async (_, { account }) => await listOutgoing(services, account, await sending.undoable(account)),
    outgoingCancel: async ({ queueIds }, { account }) => ({
      cancelled: await cancelOutgoing(services, account, queueIds),
    }),
    outgoingReschedule: async ({ queueIds, due }, { account }) => ({
      changed: await rescheduleOutgoing(services, account, queueIds, due),
    }),
  }
  return {
    calls,
    routes: [uploadRoute(drafts, services.maxMessageSize)],
    removeOf: account => drafts.removeOf(account),
  }
}
