// What the submission refused, in the words of the wire format. Its replies give nothing internal away, so they are passed on.
import { formatReply, type MailError } from '@mox/plugin-sdk'
import { ApiError } from './error.ts'

/** Seconds to wait after a temporary refusal, when the queue of the account is full, and after a daily limit. */
const SOON = 60
const QUEUE_FULL = 300
const LATER = 3600

export function refusal(error: MailError): ApiError {
  const { code, enhanced, text } = error.reply
  const said = formatReply(error.reply)
  if (code === 552) return new ApiError('messageTooLarge', said, { cause: error })
  // RFC 3463 X.7.1 with a temporary code is how daily limits are told over SMTP.
  if (code === 451 && enhanced === '4.7.1') {
    const limit = /first-time/.test(text) ? 'recipientLimitReached' : 'messageLimitReached'
    return new ApiError(limit, said, { retryAfter: LATER, cause: error })
  }
  // A full disk has the same code.
  if (code === 452 && /of this account may be queued/.test(text))
    return new ApiError('messageLimitReached', said, { retryAfter: QUEUE_FULL, cause: error })
  if (code === 550 && enhanced === '5.7.1' && /\bFrom\b|sender/.test(text))
    return new ApiError('badFrom', said, { path: ['from'], cause: error })
  if (error.temporary) return new ApiError('server', said, { retryAfter: SOON, cause: error })
  return new ApiError('user', said, { cause: error })
}
