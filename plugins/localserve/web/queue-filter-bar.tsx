// The filters above the list of the queue: the usual ones always, the others when asked for. All that are set must hold.
import type { JSX } from 'preact'
import { type Filters, filters, moreSet, type Order, set, type TextFilter } from './queue-filters.ts'
import { loadTransports, transports } from './queue-state.ts'

const ORDERS: readonly (readonly [Order, string])[] = [
  ['nextattempt', 'Soonest attempt'],
  ['nextattempt-last', 'Latest attempt'],
  ['queued', 'Newest'],
  ['queued-first', 'Oldest'],
]

export function FilterBar(): JSX.Element {
  const { to, from, state, order } = filters.value
  return (
    <search>
      <div class="filters">
        <label>
          Recipient
          <input
            type="search"
            id="queue-to"
            placeholder="@example.org"
            value={to}
            onInput={event => set({ to: event.currentTarget.value })}
          />
        </label>
        <label>
          Sender
          <input type="search" value={from} onInput={event => set({ from: event.currentTarget.value })} />
        </label>
        <label>
          State
          <select value={state} onChange={event => set({ state: event.currentTarget.value as Filters['state'] })}>
            <option value="all">All</option>
            <option value="waiting">Not held</option>
            <option value="held">Held</option>
          </select>
        </label>
        <label>
          Order
          <select value={order} onChange={event => set({ order: event.currentTarget.value as Order })}>
            {ORDERS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <details
        class="more-filters"
        onToggle={event => {
          if (event.currentTarget.open) void loadTransports()
        }}
      >
        <summary>More filters{moreSet.value === 0 ? '' : ` (${moreSet.value} set)`}</summary>
        <div class="filters">
          <Text name="account" label="Account" />
          <ByTransport />
          <Text name="submitted" label="Queued" placeholder="<-24h" list={QUEUED} />
          <Text name="nextattempt" label="Next attempt" placeholder=">1h" list={DUE} />
          <Text name="ids" label="Queue ids" placeholder="5,7" />
          <Text name="message" label="Message id" />
          <Text name="messageIdHeader" label="Message-ID field" />
          <Text name="envid" label="Envelope id" />
        </div>
      </details>
    </search>
  )
}

type Suggestions = readonly (readonly [string, string])[]
const QUEUED: Suggestions = [
  ['>-1h', 'within the last hour'],
  ['<-1h', 'more than an hour ago'],
  ['<-24h', 'more than a day ago'],
]
const DUE: Suggestions = [
  ['<now', 'overdue'],
  ['<1h', 'within an hour'],
  ['>1h', 'in more than an hour'],
]

interface TextProps {
  readonly name: TextFilter
  readonly label: string
  readonly placeholder?: string
  readonly list?: Suggestions
}

/** Used when it is complete: half a time is no time. */
function Text({ name, label, placeholder, list }: TextProps): JSX.Element {
  return (
    <>
      <label>
        {label}
        <input
          type="search"
          name={name}
          value={filters.value[name]}
          {...(placeholder === undefined ? {} : { placeholder })}
          {...(list === undefined ? {} : { list: `suggest-${name}` })}
          onChange={event => set({ [name]: event.currentTarget.value })}
        />
      </label>
      {list === undefined ? null : (
        <datalist id={`suggest-${name}`}>
          {list.map(([value, what]) => (
            <option key={value} value={value}>
              {what}
            </option>
          ))}
        </datalist>
      )}
    </>
  )
}

function ByTransport(): JSX.Element {
  const { transport } = filters.value
  return (
    <label>
      Transport
      <select
        value={transport === undefined ? 'any' : `=${transport}`}
        onChange={event => {
          const { value } = event.currentTarget
          set({ transport: value === 'any' ? undefined : value.slice(1) })
        }}
      >
        <option value="any">Any</option>
        <option value="=">As routed</option>
        {transports.value.map(name => (
          <option key={name} value={`=${name}`}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
