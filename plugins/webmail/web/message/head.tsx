// What stands above the text: who, when, to whom, what. All of it is ours to draw, below a line begins what a stranger wrote.
import type { WordCondition } from '@mox/plugin-sdk/search'
import type { ComponentChild, JSX } from 'preact'
import type { OpenedMessage } from '../../src/api/model.ts'
import { fullDate } from '../list/format.ts'
import { labelOf } from '../list/label-names.ts'
import { refine, setRefine } from '../list/open.ts'
import { local } from '../state/local.ts'
import { itemOf } from '../state/lookup.ts'
import { settings } from '../state/store.ts'
import { People, Sender } from './people.tsx'
import { Highlighted } from './text-view.tsx'
import { confirmUnsubscribe } from './unsubscribe.tsx'

export function Head(props: {
  readonly message: OpenedMessage
  readonly terms: readonly WordCondition[]
  readonly children: ComponentChild
}): JSX.Element {
  const { message, terms, children } = props
  const { subject, from, sender, replyTo, to, cc, bcc } = message
  // A sender of its own is only worth telling where it is somebody else.
  const other = sender.filter(s => !from.some(f => f.address === s.address))
  return (
    <header class="message-head scroll">
      <h2>
        <bdi>{subject === '' ? '(no subject)' : <Highlighted text={subject} terms={terms} />}</bdi>
        <Attributes message={message} />
      </h2>
      <dl>
        <Row name="From">
          <Sender from={from} authentication={message.authentication} />
          <When message={message} />
        </Row>
        {other.length === 0 ? null : (
          <Row name="Sender">
            <People list={other} />
          </Row>
        )}
        {replyTo.length === 0 ? null : (
          <Row name="Reply to">
            <People list={replyTo} />
          </Row>
        )}
        <Row name="To">{to.length === 0 ? <span class="mild">(nobody)</span> : <People list={to} />}</Row>
        {cc.length === 0 ? null : (
          <Row name="Cc">
            <People list={cc} />
          </Row>
        )}
        {bcc.length === 0 ? null : (
          <Row name="Bcc">
            <People list={bcc} />
          </Row>
        )}
        <ChosenHeaders message={message} />
      </dl>
      {local.value.showAllHeaders ? <AllHeaders message={message} /> : null}
      {children}
    </header>
  )
}

function Row({ name, children }: { readonly name: string; readonly children: ComponentChild }): JSX.Element {
  return (
    <div class="message-field">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function When({ message: { date, receivedAt } }: { readonly message: OpenedMessage }): JSX.Element {
  const at = date ?? receivedAt
  const title = `Received: ${fullDate(receivedAt)}\nDate in the message: ${date === null ? '(none)' : fullDate(date)}`
  return (
    <time class="when" dateTime={new Date(at).toISOString()} title={title}>
      {SHORT.format(at)}
    </time>
  )
}

const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** What is known of the message beside its header, and its labels. */
function Attributes({ message }: { readonly message: OpenedMessage }): JSX.Element {
  const { forwarded, listAddress, listId, withoutTls, tls, requireTls, signed, encrypted, unsubscribe } = message
  const list = listAddress !== '' || listId !== ''
  const chips: readonly (readonly [on: boolean, text: string, title: string, kind?: string])[] = [
    [forwarded, 'Forwarded', 'Sent on by somebody else than its author'],
    [list, 'Mailing list', listId || listAddress],
    [withoutTls, 'Without TLS', 'It came to us over a connection that others could read', 'bad'],
    [tls !== null, 'With TLS', `It came to us over an encrypted connection: ${tls?.version} ${tls?.cipher}`],
    [requireTls, 'With RequireTLS', 'Its sender asked for encryption all the way'],
    [signed, 'Signed', 'It has a signature, which is not checked here'],
    [encrypted, 'Encrypted', 'It is encrypted, and is not decrypted here'],
  ]
  return (
    <span class="attributes">
      {chips.map(([on, text, title, kind = '']) =>
        on ? (
          <span key={text} class={`chip ${kind}`} title={title}>
            {text}
          </span>
        ) : null,
      )}
      {(itemOf(message.id)?.keywords ?? []).map(keyword => {
        const { name, color } = labelOf(settings.value, keyword)
        const on = refine.value === `label:${keyword}`
        return (
          <button
            key={keyword}
            type="button"
            class={`tag ${color}`}
            aria-pressed={on}
            title={on ? 'Show all messages again' : `Show only messages with label ${name}`}
            onClick={() => setRefine(`label:${keyword}`)}
          >
            {name}
          </button>
        )
      })}
      {unsubscribe === null ? null : (
        <button type="button" class="small" onClick={() => confirmUnsubscribe(message)}>
          Unsubscribe…
        </button>
      )}
    </span>
  )
}

/** Fields that the user wants to see of every message. */
function ChosenHeaders({ message }: { readonly message: OpenedMessage }): JSX.Element {
  return (
    <>
      {(settings.value?.showHeaders ?? []).flatMap(name =>
        message.headers
          .filter(h => h.name.toLowerCase() === name.toLowerCase())
          .map((header, i) => (
            <Row key={`${name} ${i}`} name={header.name}>
              {header.value}
            </Row>
          )),
      )}
    </>
  )
}

function AllHeaders({ message: { headers } }: { readonly message: OpenedMessage }): JSX.Element {
  return (
    <table class="all-headers" aria-label="All header fields">
      <tbody>
        {headers.map(({ name, value }, i) => (
          <tr key={i}>
            <th scope="row">{name}</th>
            <td>{value.trim()}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
