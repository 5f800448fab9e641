// Settings: rules that deliver mail to a mailbox.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { rule as ruleSchema } from '../../src/api/calls.ts'
import { useLoaded } from '../frame/loaded.tsx'
import { toast } from '../frame/overlay.ts'
import { call } from '../lib/api.ts'
import { attempt, showError } from '../state/busy.ts'
import { hello, mailboxes } from '../state/store.ts'
import { Line } from './fields.tsx'
import { exactPattern, ruleText } from './rule-text.ts'

type Rule = z.infer<typeof ruleSchema>

export function Rules(): JSX.Element {
  const { value, problem, reload } = useLoaded(() => call('rules', {}))
  const remove = async (rule: Rule): Promise<void> => {
    if (await attempt('removing rule', () => call('ruleRemove', { rule }))) {
      const undo = async (): Promise<void> => {
        await call('ruleAdd', { rule })
        reload()
      }
      toast({ text: 'Rule removed', undo })
    }
    reload()
  }
  return (
    <>
      <h3>Rules</h3>
      <p class="hint-text">The first rule that fits decides where a new message is delivered.</p>
      {problem === '' ? null : <p class="problem">{problem}</p>}
      <ul class="entries" aria-busy={value === undefined}>
        {value?.rules.map((rule, n) => (
          <li key={n}>
            <div>
              <span>{ruleText(rule)}</span>
              <small>{rule.comment}</small>
            </div>
            <button type="button" onClick={() => void remove(rule)}>
              Remove
            </button>
          </li>
        ))}
      </ul>
      {value?.rules.length === 0 ? <p class="hint-text">There are none yet.</p> : null}
      <NewRule added={reload} />
    </>
  )
}

function NewRule({ added }: { added(): void }): JSX.Element {
  const recipients = (hello.value?.identities ?? []).map(i => i.address).filter(a => !a.startsWith('@'))
  const names = [...mailboxes.value.values()].map(m => m.name).sort()
  const [recipient, setRecipient] = useState(recipients[0] ?? '')
  const [from, setFrom] = useState('')
  const [listId, setListId] = useState('')
  const [mailbox, setMailbox] = useState('')
  const [domain, setDomain] = useState('')
  const [forwards, setForwards] = useState(false)
  const [rejects, setRejects] = useState('')
  const verified = domain.trim().toLowerCase()
  const list = listId.trim() !== ''
  const forward = forwards && from.trim() !== '' && verified !== ''
  const ready = recipient !== '' && mailbox !== '' && (from.trim() !== '' || list || verified !== '')
  const add = async (): Promise<void> => {
    const rule: Rule = {
      recipient,
      ...(from.trim() === ''
        ? {}
        : forward
          ? { forward, mailFrom: exactPattern(from) }
          : { msgFrom: exactPattern(from) }),
      ...(verified === '' ? {} : { verifiedDomain: verified }),
      // What a list sends that is who it says is no spam.
      ...(list && verified !== '' ? { listAllowDomain: verified } : {}),
      ...(rejects === '' ? {} : { acceptRejects: rejects }),
      ...(!list ? {} : { headers: [{ name: '^list-id$', value: `<${exactPattern(listId).slice(1, -1)}>$` }] }),
      mailbox,
      comment: `by webmail on ${new Date().toISOString().slice(0, 10)}`,
    }
    try {
      await call('ruleAdd', { rule })
      setFrom('')
      setListId('')
      setDomain('')
      added()
    } catch (error) {
      showError(error)
    }
  }
  return (
    <form
      class="group"
      onSubmit={event => {
        event.preventDefault()
        void add()
      }}
    >
      <h4>Add a rule</h4>
      <label class="field">
        Mail to
        <select value={recipient} onChange={event => setRecipient(event.currentTarget.value)}>
          {recipients.map(address => (
            <option key={address}>{address}</option>
          ))}
        </select>
      </label>
      <Line label="from the address" value={from} maxLength={320} placeholder="news@example.org" change={setFrom} />
      <Line
        label="and of the mailing list"
        value={listId}
        maxLength={320}
        placeholder="announce.example.org"
        change={setListId}
      />
      <Line
        label="from a server of the domain, checked by SPF or DKIM"
        value={domain}
        maxLength={255}
        placeholder="example.org"
        change={setDomain}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={forward}
          disabled={from.trim() === '' || verified === ''}
          onChange={event => setForwards(event.currentTarget.checked)}
        />
        <span>That address forwards mail of others to you</span>
      </label>
      <label class="field">
        is delivered to
        <select value={mailbox} onChange={event => setMailbox(event.currentTarget.value)}>
          <option value="">Choose a mailbox</option>
          {names.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        what would be refused as spam is kept in
        <select value={rejects} onChange={event => setRejects(event.currentTarget.value)}>
          <option value="">nowhere: it is refused</option>
          {names.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <p class="line">
        <button type="submit" disabled={!ready}>
          Add rule
        </button>
      </p>
    </form>
  )
}
