// v0 Send: between the field names of the wire and the sender.
import type { z } from 'zod'
import type { Caller } from '../send/author.ts'
import type { Request, RequestFile } from '../send/message.ts'
import type { Sender } from '../send/sender.ts'
import type { Decoded, FileField } from './request.ts'
import type * as schemas from './schemas.ts'

type SendRequest = z.output<typeof schemas.send>

export async function send(
  sender: Sender,
  caller: Caller,
  request: SendRequest,
  files: Decoded['files'],
): Promise<object> {
  const sent = await sender.send(caller, toRequest(request, files))
  return {
    MessageID: sent.messageId,
    Submissions: sent.recipients.map(({ address, queueId, fromId, suppressed }) => ({
      ...{ Address: address, QueueMsgID: queueId, FromID: fromId },
      ...(suppressed ? { Suppressed: true } : {}),
    })),
    ...(sent.warnings.length === 0 ? {} : { Warnings: sent.warnings }),
  }
}

function toRequest(r: SendRequest, files: Decoded['files']): Request {
  const addresses = (list: SendRequest['To']) => list.map(({ Name, Address }) => ({ name: Name, address: Address }))
  const filesOf = (list: SendRequest['InlineFiles'], field: FileField): RequestFile[] => [
    ...list.map(f => ({ name: f.Name, contentType: f.ContentType, contentId: f.ContentID, data: f.Data })),
    ...files.filter(f => f.field === field).map(f => f.file),
  ]
  return {
    ...{ from: addresses(r.From), to: addresses(r.To), cc: addresses(r.CC), bcc: addresses(r.BCC) },
    ...{ replyTo: addresses(r.ReplyTo), messageId: r.MessageID, references: r.References, date: r.Date },
    ...{ subject: r.Subject, text: r.Text, html: r.HTML, extra: new Map(Object.entries(r.Extra)), headers: r.Headers },
    alternativeFiles: filesOf(r.AlternativeFiles, 'alternativefile'),
    inlineFiles: filesOf(r.InlineFiles, 'inlinefile'),
    attachedFiles: filesOf(r.AttachedFiles, 'attachedfile'),
    ...{ requireTls: r.RequireTLS, futureRelease: r.FutureRelease, saveSent: r.SaveSent, stream: r.Stream },
    unsubscribe: r.Unsubscribe,
  }
}
