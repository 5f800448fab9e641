// The popup that offers a rule for messages like one that was moved.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Result } from '../../src/api/calls.ts'
import { openPopup, toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { attempt } from '../state/busy.ts'
import { mailboxes } from '../state/store.ts'

export type Suggestion = NonNullable<Result<'ruleSuggest'>['suggestion']>

/** `mailboxId`: the mailbox of the rule. */
export function openOffer(suggestion: Suggestion, mailboxId: number): void {
  openPopup({
    title: suggestion.kind === 'add' ? 'Deliver there from now on?' : 'Remove the rule?',
    closable: true,
    render: close => <Offer suggestion={suggestion} mailboxId={mailboxId} close={close} />,
  })
}

interface OfferProps {
  readonly suggestion: Suggestion
  /** The mailbox of the rule. */
  readonly mailboxId: number
  close(): void
}

function Offer({ suggestion, mailboxId, close }: OfferProps): JSX.Element {
  const { kind, listId, msgFrom, recipient, rule } = suggestion
  const [busy, setBusy] = useState(false)
  const who = listId === '' ? msgFrom : `the list ${listId}`
  const done = async (what: string, work: () => Promise<unknown>, said = ''): Promise<void> => {
    setBusy(true)
    const ok = await attempt(what, work)
    setBusy(false)
    if (!ok) return
    close()
    if (said !== '') toast({ text: said })
  }
  const never = (mailbox: number | null) => {
    const about = mailbox === null ? { listId, msgFrom } : { listId: '', msgFrom: '' }
    return () => call('ruleNever', { recipient, ...about, mailboxId: mailbox })
  }
  return (
    <fieldset class="rule-offer" disabled={busy}>
      <legend class="visually-hidden">Rule</legend>
      {kind === 'add' ? (
        <p>
          Messages from <b>{who}</b> to <b>{recipient}</b> could be delivered to <b>{rule.mailbox}</b> from now on.
        </p>
      ) : (
        <p>
          A rule delivers messages from <b>{who}</b> to <b>{recipient}</b> to <b>{rule.mailbox}</b>. You moved one back:
          shall the rule go?
        </p>
      )}
      <p class="buttons">
        <button
          type="button"
          class="primary"
          autofocus
          onClick={() =>
            kind === 'add'
              ? void done('adding the rule', () => call('ruleAdd', { rule }), 'Rule added')
              : void done('removing the rule', () => call('ruleRemove', { rule }), 'Rule removed')
          }
        >
          {kind === 'add' ? 'Yes, deliver there' : 'Yes, remove the rule'}
        </button>
        <button type="button" onClick={close}>
          Not now
        </button>
      </p>
      <p class="buttons quiet">
        <button type="button" onClick={() => void done('keeping the answer', never(null))}>
          No, and don't ask again for this {listId === '' ? 'address' : 'list'}
        </button>
        <button type="button" onClick={() => void done('keeping the answer', never(mailboxId))}>
          No, and don't ask again for {mailboxes.value.get(mailboxId)?.name ?? 'this mailbox'}
        </button>
      </p>
    </fieldset>
  )
}
