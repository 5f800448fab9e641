// What happened to a message, in order: how it came in, what every handler said, each attempt and its reply.
import type { Attempt, TraceEntry } from '@mox/plugin-sdk'
import type { JSX } from 'preact'
import type { MessageDetail, RecipientDetail } from '../src/api-types.ts'
import { at, milliseconds, until } from './format.ts'
import { StateBadge } from './list.tsx'
import { now } from './state.ts'

export function TraceView({ message: m }: { message: MessageDetail }): JSX.Element {
  return (
    <ol class="trace">
      <li>
        <h3>
          {m.kind === 'submission' ? 'Submitted' : 'Received'} <small>{at(m.receivedAt)}</small>
        </h3>
        <p class="facts">
          {m.protocol} on listener <b>{m.source}</b> from {m.helo || 'unknown'} [{m.remoteIp}]
          {m.account === '' ? '' : ` as ${m.account}`}
        </p>
        <Verdicts entries={m.trace} none="No handler had to decide." />
      </li>
      {m.recipientDetails.map(r => (
        <Recipient key={r.queueId ?? r.address} recipient={r} />
      ))}
      {m.copies.length === 0 ? null : (
        <li>
          <h3>In mailboxes</h3>
          <ul class="plain">
            {m.copies.map(c => (
              <li key={`${c.mailbox}${c.uid}`}>
                {c.account} / {c.mailbox}, UID {c.uid}
              </li>
            ))}
          </ul>
        </li>
      )}
    </ol>
  )
}

function Recipient({ recipient: r }: { recipient: RecipientDetail }): JSX.Element {
  const waiting = r.state === 'waiting' && r.due !== undefined
  return (
    <li>
      <h3>
        {r.address} <StateBadge state={r.state} />
        {r.queueId === undefined ? null : <small> queue id {r.queueId}</small>}
      </h3>
      {r.attempts.map(a => (
        <AttemptView key={`${a.number} ${a.startedAt}`} attempt={a} />
      ))}
      {waiting ? (
        <p class="facts">
          Next attempt {until(r.due ?? 0, now.value)}, at {at(r.due ?? 0)}.
        </p>
      ) : null}
      {r.state === 'stored' ? <p class="facts">Put into the mailbox when it came in.</p> : null}
      {r.trace.length === 0 ? null : <Verdicts entries={r.trace} none="" />}
    </li>
  )
}

function AttemptView({ attempt: a }: { attempt: Attempt }): JSX.Element {
  const where = [a.remoteHost, a.remoteIp === undefined ? undefined : `[${a.remoteIp}]`].filter(Boolean).join(' ')
  return (
    <section class={`attempt ${a.outcome}`}>
      <h4>
        {a.number === 0 ? 'Decision' : `Attempt ${a.number}`}: {a.outcome}
        <small>
          {' '}
          {at(a.startedAt)}
          {a.endedAt === undefined ? '' : `, ${milliseconds(a.endedAt - a.startedAt)}`}
        </small>
      </h4>
      <Verdicts entries={a.trace ?? []} none="" />
      <p class="facts">
        {a.transport === undefined ? null : (
          <span>
            via <b>{a.transport}</b>{' '}
          </span>
        )}
        {where === '' ? null : <span>to {where} </span>}
        {a.tls === undefined ? null : (
          <span>
            {a.tls.version} {a.tls.cipher}
          </span>
        )}
      </p>
      {a.text === '' && a.code === 0 ? null : (
        <pre class="reply">{[a.code === 0 ? '' : a.code, a.enhanced, a.text].filter(x => x !== '').join(' ')}</pre>
      )}
    </section>
  )
}

function Verdicts({ entries, none }: { entries: readonly TraceEntry[]; none: string }): JSX.Element | null {
  if (entries.length === 0) return none === '' ? null : <p class="facts">{none}</p>
  return (
    <div class="scroll">
      <table class="verdicts">
        <thead>
          <tr>
            <th scope="col">Hook</th>
            <th scope="col">Plugin</th>
            <th scope="col">Verdict</th>
            <th scope="col">Reason</th>
            <th scope="col" class="number">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((e, i) => (
            <tr key={i} class={e.failed ? 'failed' : ''}>
              <td>{e.hook}</td>
              <td>{e.plugin}</td>
              <td>
                <code>{e.verdict}</code>
              </td>
              <td>
                {e.reason ?? ''}
                {e.recipient === undefined ? '' : ` (${e.recipient})`}
              </td>
              <td class="number">{milliseconds(e.ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
