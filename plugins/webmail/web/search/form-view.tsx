// The search form: a field for each kind of condition.
import type { ComponentChildren, JSX } from 'preact'
import { mailboxes } from '../state/store.ts'
import { AddressField } from './address-field.tsx'
import {
  ATTACHMENT_CHOICES,
  type DateFields,
  FLAG_LABELS,
  formOf,
  lastDays,
  nextState,
  type SearchForm,
  type Tristate,
  textOf,
} from './form.ts'

interface Props {
  /** What the bar says. */
  readonly text: string
  set(text: string): void
  search(): void
}

const DAYS = [
  [1, '1 day'],
  [7, '1 week'],
  [31, '1 month'],
  [365, '1 year'],
] as const

const ALL = '*'
const USUAL = ''

export function SearchFormView({ text, set, search }: Props): JSX.Element {
  const form = formOf(text)
  const put = (change: Partial<SearchForm>): void => set(textOf({ ...form, ...change }))
  return (
    <form
      class="search-form"
      aria-label="Search form"
      onSubmit={event => {
        event.preventDefault()
        search()
      }}
    >
      <Where form={form} put={put} />
      <Line label="Text" value={form.words} set={words => put({ words })} />
      <AddressField label="From" value={form.from} set={from => put({ from })} />
      <AddressField label="To" value={form.to} set={to => put({ to })} />
      <Line label="Subject" value={form.subject} set={subject => put({ subject })} />
      <Dates name="Received" fields={form.received} set={received => put({ received })}>
        <span class="chips">
          {DAYS.map(([days, name]) => (
            <button
              type="button"
              key={days}
              title={`Received within ${name}`}
              onClick={() => put(lastDays(form, days))}
            >
              {name}
            </button>
          ))}
        </span>
      </Dates>
      <Dates name="Sent" fields={form.sent} set={sent => put({ sent })} />
      <Attachments form={form} put={put} />
      <Line label="File name" value={form.files} set={files => put({ files })} />
      <Bodies form={form} put={put} />
      <Labels form={form} put={put} />
      <Headers form={form} put={put} />
      <Sizes form={form} put={put} />
      <p class="buttons">
        <button type="submit" class="primary">
          Search
        </button>
      </p>
    </form>
  )
}

interface PartProps {
  readonly form: SearchForm
  put(change: Partial<SearchForm>): void
}

function Where({ form, put }: PartProps): JSX.Element {
  const names = [...mailboxes.value.values()].map(m => m.name).toSorted((a, b) => a.localeCompare(b))
  const { mailbox } = form
  // What was typed may be no mailbox: it is shown as it is.
  const unknown = mailbox !== undefined && mailbox !== '' && !names.includes(mailbox)
  return (
    <div class="line">
      <label>
        <span>Mailbox</span>
        <select
          value={mailbox === undefined ? USUAL : mailbox === '' ? ALL : `=${mailbox}`}
          onChange={event => {
            const chosen = event.currentTarget.value
            put({ mailbox: chosen === USUAL ? undefined : chosen === ALL ? '' : chosen.slice(1) })
          }}
        >
          <option value={USUAL}>All except Trash, Junk and Rejects</option>
          <option value={ALL}>All</option>
          {[...names, ...(unknown ? [mailbox] : [])].map(name => (
            <option key={name} value={`=${name}`}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={form.below} onChange={event => put({ below: event.currentTarget.checked })} />
        also in mailboxes below
      </label>
    </div>
  )
}

/**
 * A field whose value comes back in a canonical form: that must not change what is typed under the fingers, so it is taken
 * over only by a field that is not being edited.
 */
export function Line({ label, value, set }: { label: string; value: string; set(value: string): void }): JSX.Element {
  return (
    <label class="line">
      <span>{label}</span>
      <input
        type="text"
        autocomplete="off"
        maxLength={1_000}
        ref={quiet(value)}
        onInput={event => set(event.currentTarget.value)}
      />
    </label>
  )
}

/** Sets the value of a field unless it has the focus. */
export function quiet(value: string): (element: HTMLInputElement | null) => void {
  return element => {
    if (element !== null && element !== document.activeElement && element.value !== value) element.value = value
  }
}

interface DatesProps {
  readonly name: string
  readonly fields: DateFields
  set(fields: DateFields): void
  readonly children?: ComponentChildren
}

function Dates({ name, fields, set, children }: DatesProps): JSX.Element {
  return (
    <fieldset class="line">
      <legend>{name}</legend>
      <span class="dates">
        <When
          of={name}
          end="from"
          date={fields.startDate}
          time={fields.startTime}
          set={(startDate, startTime) => set({ ...fields, startDate, startTime })}
        />
        <When
          of={name}
          end="to"
          date={fields.endDate}
          time={fields.endTime}
          set={(endDate, endTime) => set({ ...fields, endDate, endTime })}
        />
        {children}
      </span>
    </fieldset>
  )
}

interface WhenProps {
  readonly of: string
  readonly end: 'from' | 'to'
  readonly date: string
  readonly time: string
  set(date: string, time: string): void
}

function When({ of, end, date, time, set }: WhenProps): JSX.Element {
  const label = `${of} ${end}`
  return (
    <span class="when">
      <span>{end}</span>
      <input
        type="date"
        aria-label={`${label}: date`}
        ref={quiet(date)}
        onInput={event => set(event.currentTarget.value, time)}
      />
      <input
        type="time"
        aria-label={`${label}: time`}
        ref={quiet(time)}
        onInput={event => set(date, event.currentTarget.value)}
      />
      {date === '' && time === '' ? null : (
        <button type="button" class="clear" aria-label={`Clear ${label}`} onClick={() => set('', '')}>
          ×
        </button>
      )}
    </span>
  )
}

function Attachments({ form, put }: PartProps): JSX.Element {
  return (
    <fieldset class="line">
      <legend>Attachments</legend>
      <span class="chips">
        {ATTACHMENT_CHOICES.map(kind => (
          <label key={kind} class="chip">
            <input
              type="radio"
              name="search-attachments"
              checked={form.attachments === kind}
              // A second press on what is chosen clears it.
              onClick={() => put({ attachments: form.attachments === kind ? '' : kind })}
            />
            {kind}
          </label>
        ))}
      </span>
    </fieldset>
  )
}

const STATES: Readonly<Record<Tristate, readonly [sign: string, meaning: string]>> = {
  '': ['', 'no matter'],
  must: ['✓ ', 'must be'],
  not: ['✗ ', 'must not be'],
}

interface TristatesProps<K extends string> {
  readonly entries: readonly (readonly [key: K, name: string])[]
  readonly states: ReadonlyMap<K, Tristate>
  set(states: ReadonlyMap<K, Tristate>): void
}

/** A button for each entry, which a press turns to its next state. */
function Tristates<K extends string>({ entries, states, set }: TristatesProps<K>): JSX.Element {
  return (
    <>
      {entries.map(([key, name]) => {
        const state = states.get(key) ?? ''
        const [sign, meaning] = STATES[state]
        return (
          <button
            type="button"
            key={key}
            class={`tri ${state}`}
            aria-label={`${name}: ${meaning}`}
            title={`${name}: ${meaning}`}
            onClick={() => set(new Map(states).set(key, nextState(state)))}
          >
            {sign}
            {name}
          </button>
        )
      })}
    </>
  )
}

const BODIES = [
  ['text', 'Plain text'],
  ['html', 'HTML'],
] as const

function Bodies({ form, put }: PartProps): JSX.Element {
  return (
    <fieldset class="line">
      <legend>Content</legend>
      <span class="chips">
        <Tristates entries={BODIES} states={form.bodies} set={bodies => put({ bodies })} />
      </span>
    </fieldset>
  )
}

function Labels({ form, put }: PartProps): JSX.Element {
  return (
    <fieldset class="line">
      <legend>Labels</legend>
      <span class="chips">
        <Tristates entries={FLAG_LABELS} states={form.flags} set={flags => put({ flags })} />
        <input
          type="text"
          aria-label="Other labels"
          placeholder="work -later"
          autocomplete="off"
          ref={quiet(form.labels)}
          onInput={event => put({ labels: event.currentTarget.value })}
        />
      </span>
    </fieldset>
  )
}

function Headers({ form, put }: PartProps): JSX.Element {
  // A row that is not complete says nothing in the bar, so an empty one stands always at the end.
  const rows = [...form.headers, { name: '', value: '' }]
  const set = (at: number, change: Partial<(typeof rows)[number]>): void =>
    put({ headers: rows.map((row, i) => (i === at ? { ...row, ...change } : row)) })
  return (
    <fieldset class="line">
      <legend>Headers</legend>
      <span class="headers">
        {rows.map((row, i) => (
          <span key={i}>
            <input
              type="text"
              aria-label={`Name of header ${i + 1}`}
              placeholder="Name"
              autocomplete="off"
              ref={quiet(row.name)}
              onChange={event => set(i, { name: event.currentTarget.value.trim() })}
            />
            <input
              type="text"
              aria-label={`Value of header ${i + 1}`}
              placeholder="any value"
              autocomplete="off"
              disabled={row.name === ''}
              ref={quiet(row.value)}
              onInput={event => set(i, { value: event.currentTarget.value })}
            />
            {i < form.headers.length ? (
              <button
                type="button"
                class="clear"
                aria-label={`Remove header ${i + 1}`}
                onClick={() => put({ headers: form.headers.filter((_, at) => at !== i) })}
              >
                −
              </button>
            ) : null}
          </span>
        ))}
      </span>
    </fieldset>
  )
}

function Sizes({ form, put }: PartProps): JSX.Element {
  return (
    <fieldset class="line">
      <legend>Size</legend>
      <span class="when">
        between
        <input
          type="text"
          class="size"
          aria-label="At least"
          placeholder="10kb"
          ref={quiet(form.minSize)}
          onInput={event => put({ minSize: event.currentTarget.value })}
        />
        and
        <input
          type="text"
          class="size"
          aria-label="At most"
          placeholder="5mb"
          ref={quiet(form.maxSize)}
          onInput={event => put({ maxSize: event.currentTarget.value })}
        />
      </span>
    </fieldset>
  )
}
