// biome-ignore-all lint/a11y/useSemanticElements: a table cannot be drawn in part
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and says which row is active
// One row of the list: on one line in columns, or on two lines where there is no room for that. Reads signals, so it is drawn
// anew only when those or its properties change.
import { computed } from '@preact/signals'
import type { JSX } from 'preact'
import { badges } from '../extend/registry.ts'
import { Marked } from '../message/marked.tsx'
import { hello, mailboxes, openMailbox, settings } from '../state/store.ts'
import {
  correspondents,
  correspondentsTitle,
  fullDate,
  identityTag,
  isOwn,
  labelTags,
  marks,
  otherMailboxes,
  rowTime,
  rowUnread,
  shortMailbox,
} from './format.ts'
import { labelOf } from './label-names.ts'
import type { Row } from './rows.ts'

const places = computed(() => ({
  mailboxes: mailboxes.value,
  rejectsMailbox: hello.value?.rejectsMailbox ?? '',
}))

export interface RowProps {
  readonly row: Row
  readonly index: number
  readonly top: number
  readonly selected: boolean
  readonly focused: boolean
  /** Undefined where rows are not ticked. */
  readonly ticked: boolean | undefined
  readonly age: string
  readonly order: 'newest' | 'oldest'
}

const RELATIONS = {
  root: ['', ''],
  reply: ['↳', 'Answer'],
  duplicate: ['≈', 'The same message again'],
  missing: ['↯', 'The message that this belongs to is not here'],
} as const

export function ListRow({ row, index, top, selected, focused, ticked, age, order }: RowProps): JSX.Element {
  const { item } = row
  const classes = ['row', row.place]
  if (rowUnread(row)) classes.push('unread')
  if (item.threadMuted || !item.matches) classes.push('faint')
  if (focused) classes.push('focused')
  const chosen = ticked ?? selected
  return (
    <div
      role="row"
      id={`row-${row.id}`}
      data-id={row.id}
      class={classes.join(' ')}
      style={{ top: `${top}px` }}
      aria-rowindex={index + 1}
      aria-selected={chosen}
      draggable={ticked === undefined}
    >
      <div role="gridcell" class="flags">
        <input type="checkbox" tabIndex={-1} checked={chosen} aria-label="Select" />
        <Flags row={row} />
      </div>
      <div role="gridcell" class="who" title={correspondentsTitle(row)}>
        <Who row={row} />
      </div>
      <div role="gridcell" class="what">
        <What row={row} />
      </div>
      <div role="gridcell" class="age">
        <time dateTime={new Date(rowTime(row, order)).toISOString()} title={fullDate(item.receivedAt)}>
          {age}
        </time>
      </div>
    </div>
  )
}

function Flags({ row }: { row: Row }): JSX.Element {
  return (
    <>
      <span class="marks">
        {marks(row).map(({ char, title, mild }) => (
          <abbr key={char} title={title} class={mild || char === '?' ? 'mild' : ''} data-mark={char}>
            {char}
          </abbr>
        ))}
      </span>
      {row.size > 1 ? (
        <button
          type="button"
          tabIndex={-1}
          class="thread"
          aria-expanded={!row.collapsed}
          aria-label={`Thread of ${row.size} messages`}
        >
          {row.collapsed ? row.size : '−'}
        </button>
      ) : null}
    </>
  )
}

const TAGS = {
  cc: 'You are in Cc',
  bcc: 'You are in Bcc',
  '-': 'Not addressed to you, such as by a list or in Bcc',
} as const

function Who({ row }: { row: Row }): JSX.Element {
  const now = hello.value
  const tag = now === undefined ? '' : identityTag(row.item, address => isOwn(address, now))
  return (
    <>
      <span class="names">
        {correspondents(row, places.value).map(({ text, recipient }, i) => (
          <>
            {i === 0 ? '' : ', '}
            {recipient ? (
              <i dir="auto">
                <Marked text={text} />
              </i>
            ) : (
              <bdi>
                <Marked text={text} />
              </bdi>
            )}
          </>
        ))}
      </span>
      {tag === '' ? null : (
        <span class="identity" title={TAGS[tag]}>
          {tag}
        </span>
      )}
    </>
  )
}

function What({ row }: { row: Row }): JSX.Element {
  const { item, depth, relation } = row
  const [sign, meaning] = RELATIONS[relation]
  return (
    <>
      {depth === 0 ? null : (
        <span class="relation" title={meaning} style={{ marginInlineStart: `${Math.min(depth, 20) / 2}em` }}>
          {sign}
        </span>
      )}
      {depth === 0 ? (
        <bdi class={item.subject === '' ? 'subject none' : 'subject'}>{item.subject || '(no subject)'}</bdi>
      ) : null}
      <bdi class="preview">{item.preview}</bdi>
      <span class="tags">
        {badges.value
          .filter(badge => item.badges.includes(badge.id))
          .map(({ id, text, title }) => (
            <span key={id} class="tag badge" title={title}>
              {text}
            </span>
          ))}
        {labelTags(row).map(({ text, mild }) => {
          const { name, color } = labelOf(settings.value, text)
          return (
            <span key={text} class={`tag ${color} ${mild ? 'mild' : ''}`} title={`Label ${name}`}>
              {name}
            </span>
          )
        })}
        {otherMailboxes(row, openMailbox.value?.id).map(({ mailboxId, mild }) => {
          const name = mailboxes.value.get(mailboxId)?.name
          return name === undefined ? null : (
            <span key={`in ${mailboxId}`} class={`tag in-mailbox ${mild ? 'mild' : ''}`} title={`In ${name}`}>
              {shortMailbox(name)}
            </span>
          )
        })}
      </span>
    </>
  )
}
