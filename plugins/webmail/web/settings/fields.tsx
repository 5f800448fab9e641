// Fields of settings, which are saved as they are changed.
import type { ComponentChildren, JSX } from 'preact'
import type { Settings } from '../../src/api/model.ts'
import { change } from '../state/preferences.ts'
import { settings } from '../state/store.ts'

type KeysOf<T> = { [K in keyof Settings]: Settings[K] extends T ? K : never }[keyof Settings]

export function Check({
  name,
  children,
}: {
  readonly name: KeysOf<boolean>
  children: ComponentChildren
}): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={settings.value?.[name] ?? false}
        onChange={event => change({ [name]: event.currentTarget.checked })}
      />
      <span>{children}</span>
    </label>
  )
}

export function Choice<K extends KeysOf<string | number>>(props: {
  readonly name: K
  readonly label: string
  readonly choices: readonly (readonly [Settings[K], string])[]
}): JSX.Element {
  const { name, label, choices } = props
  return (
    <label class="field">
      {label}
      <select
        value={String(settings.value?.[name])}
        onChange={event => {
          const chosen = choices.find(([value]) => String(value) === event.currentTarget.value)
          if (chosen !== undefined) change({ [name]: chosen[0] })
        }}
      >
        {choices.map(([value, title]) => (
          <option key={String(value)} value={String(value)}>
            {title}
          </option>
        ))}
      </select>
    </label>
  )
}

export function Area(props: {
  readonly label: string
  readonly value: string
  readonly rows: number
  readonly maxLength: number
  readonly mono?: boolean
  change(value: string): void
}): JSX.Element {
  return (
    <label class="field">
      {props.label}
      <textarea
        class={props.mono === true ? 'mono' : ''}
        rows={props.rows}
        maxLength={props.maxLength}
        value={props.value}
        onInput={event => props.change(event.currentTarget.value)}
      />
    </label>
  )
}

export function Line(props: {
  readonly label: string
  readonly value: string
  readonly maxLength: number
  readonly placeholder?: string
  change(value: string): void
}): JSX.Element {
  return (
    <label class="field">
      {props.label}
      <input
        type="text"
        maxLength={props.maxLength}
        placeholder={props.placeholder ?? ''}
        value={props.value}
        onInput={event => props.change(event.currentTarget.value)}
      />
    </label>
  )
}

/** An entry of a list in the settings, replaced or (undefined) removed. */
export function replaced<T>(all: readonly T[], at: number, entry: T | undefined): T[] {
  return all.flatMap((old, n) => (n === at ? (entry === undefined ? [] : [entry]) : [old]))
}
