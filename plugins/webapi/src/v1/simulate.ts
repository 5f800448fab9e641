// Test keys: everything is checked, nothing is sent, and the events that would follow come at once. The localpart says which:
// "bounce", "failed", "delayed", "complained", "suppressed" in it; anything else is delivered.
import type { EventKind, Events, NewEvent, Storage } from '@mox/plugin-sdk'
import { pathToString } from '@mox/plugin-sdk/mail'
import type { Sent, SentRecipient } from '../send/sender.ts'

/** In the extra data of simulated events. */
export const TEST_MARK = 'mox-test'

interface Step {
  readonly kind: EventKind
  readonly code: number
  readonly enhanced: string
  readonly error: string
}

const DELIVERED: Step = { kind: 'delivered', code: 250, enhanced: '2.0.0', error: '' }
const STEPS: readonly (readonly [word: RegExp, steps: readonly Step[]])[] = [
  [/suppressed/i, [{ kind: 'suppressed', code: 0, enhanced: '', error: 'the address is on the suppression list' }]],
  [/bounce|failed/i, [{ kind: 'failed', code: 550, enhanced: '5.1.1', error: '550 5.1.1 no such user' }]],
  [/delayed/i, [{ kind: 'delayed', code: 451, enhanced: '4.3.0', error: '451 4.3.0 try again later' }, DELIVERED]],
  [/complained/i, [DELIVERED, { kind: 'complained', code: 0, enhanced: '', error: '' }]],
]

export async function simulate(
  { storage, events }: { readonly storage: Storage; readonly events: Events | undefined },
  account: string,
  stream: string,
  extra: Readonly<Record<string, string>>,
  sent: Sent,
): Promise<void> {
  if (events === undefined) return
  await storage.write(async () => {
    for (const recipient of sent.recipients)
      for (const [i, step] of stepsOf(recipient).entries()) {
        const event: NewEvent = {
          ...{ account, stream, queueId: 0, messageId: 0, messageIdHeader: sent.messageId, subject: sent.subject },
          ...{ recipient: pathToString(recipient.path), fromId: '', extra: { ...extra, [TEST_MARK]: 'true' } },
          ...{
            dsn: false,
            suppressing: step.kind === 'complained',
            attempt: i + 1,
            remoteMta: 'mx.test.invalid',
            ...step,
          },
        }
        await events.add(event)
      }
  })
}

function stepsOf({ path, suppressed }: SentRecipient): readonly Step[] {
  const word = suppressed ? 'suppressed' : path.localpart
  return STEPS.find(([pattern]) => pattern.test(word))?.[1] ?? [DELIVERED]
}
