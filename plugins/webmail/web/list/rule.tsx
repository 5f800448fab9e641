// After a message was moved by hand: whether messages like it shall be delivered there from now on.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Result } from '../../src/api/calls.ts'
import { openPopup, toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { onSingleMove } from '../state/actions.ts'
import { attempt } from '../state/busy.ts'
import { mailboxes } from '../state/store.ts'

type Suggestion = NonNullable<Result<'ruleSuggest'>['suggestion']>

export function startRuleSuggestions(): void {
  onSingleMove((id, from, to) => void suggest(id, from, to))
}

async function suggest(id: number, from: number, to: number): Promise<void> {
  // Only an offer: that it could not be made is nothing to tell.
  const answer = await call('ruleSuggest', { id, from, to }).catch(() => undefined)
  const suggestion = answer?.suggestion
  if (suggestion === undefined || suggestion === null) return
  const add = suggestion.kind === 'add'
  openPopup({
    title: add ? 'Deliver there from now on?' : 'Remove the rule?',
    closable: true,
    render: close => <Offer suggestion={suggestion} mailboxId={add ? to : from} close={close} />,
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
