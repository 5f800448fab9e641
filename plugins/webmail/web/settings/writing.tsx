// Settings: Writing, with what belongs to an address one writes as, and templates.
import type { JSX } from 'preact'
import { toast } from '../frame/overlay.ts'
import { change } from '../state/preferences.ts'
import { hello, settings } from '../state/store.ts'
import { DELAYS, QUOTINGS } from './choices.ts'
import { Area, Check, Choice, Line, replaced } from './fields.tsx'

export function Writing(): JSX.Element {
  return (
    <>
      <h3>Writing</h3>
      <Choice name="sendDelay" label="Time to undo sending" choices={DELAYS} />
      <Choice name="quoting" label="Replies" choices={QUOTINGS} />
      <Check name="richText">Write with formatting; a plain text of it is always sent along</Check>
      <Check name="showAddressSecurity">Show for each recipient how safely mail gets there</Check>
      <Area
        label="Signature"
        value={settings.value?.signature ?? ''}
        rows={4}
        maxLength={10_000}
        change={signature => change({ signature })}
      />
      <Identities />
      <Templates />
    </>
  )
}

function Identities(): JSX.Element {
  const own = settings.value?.identities ?? []
  const addresses = [...new Set((hello.value?.identities ?? []).map(i => i.address).filter(a => !a.startsWith('@')))]
  const others = own.map(i => i.address).filter(a => !addresses.includes(a))
  return (
    <fieldset class="group">
      <legend>Addresses you write as</legend>
      {[...addresses, ...others].map(address => (
        <IdentityForm key={address} address={address} />
      ))}
    </fieldset>
  )
}

function IdentityForm({ address }: { readonly address: string }): JSX.Element {
  const all = settings.value?.identities ?? []
  const at = all.findIndex(i => i.address === address)
  const known = hello.value?.identities.find(i => i.address === address)
  const empty = { address, name: '', signature: null, replyTo: '', bcc: '' }
  const identity = all[at] ?? empty
  const set = (next: Partial<typeof identity>): void => {
    const entry = { ...identity, ...next }
    const plain = entry.name === '' && entry.signature === null && entry.replyTo === '' && entry.bcc === ''
    if (at >= 0) change({ identities: replaced(all, at, plain ? undefined : entry) })
    else if (!plain) change({ identities: [...all, entry] })
  }
  return (
    <details class="entry">
      <summary>
        {address}
        <small>{identity.name || known?.name}</small>
      </summary>
      <Line
        label="Name"
        value={identity.name}
        maxLength={200}
        placeholder={known?.name ?? ''}
        change={name => set({ name })}
      />
      <Line
        label="Answers go to (Reply-To)"
        value={identity.replyTo}
        maxLength={320}
        change={replyTo => set({ replyTo })}
      />
      <Line label="Copy to (Bcc)" value={identity.bcc} maxLength={320} change={bcc => set({ bcc })} />
      <label class="check">
        <input
          type="checkbox"
          checked={identity.signature !== null}
          onChange={event => set({ signature: event.currentTarget.checked ? (settings.value?.signature ?? '') : null })}
        />
        <span>A signature of its own</span>
      </label>
      {identity.signature === null ? null : (
        <Area
          label={`Signature for ${address}`}
          value={identity.signature}
          rows={4}
          maxLength={10_000}
          change={signature => set({ signature })}
        />
      )}
    </details>
  )
}

function Templates(): JSX.Element {
  const all = settings.value?.templates ?? []
  const add = (): void => {
    change({ templates: [...all, { name: `Template ${all.length + 1}`, subject: '', text: '' }] })
  }
  return (
    <fieldset class="group">
      <legend>Templates</legend>
      {all.map((template, n) => {
        const set = (next: Partial<typeof template>): void =>
          change({ templates: replaced(all, n, { ...template, ...next }) })
        return (
          <details class="entry" key={n}>
            <summary>
              {template.name || '(unnamed)'}
              <small>{template.subject}</small>
            </summary>
            <Line label="Name" value={template.name} maxLength={100} change={name => set({ name })} />
            <Line label="Subject" value={template.subject} maxLength={998} change={subject => set({ subject })} />
            <Area label="Text" value={template.text} rows={8} maxLength={100_000} change={text => set({ text })} />
            <p class="line">
              <button
                type="button"
                class="danger"
                onClick={() => {
                  change({ templates: replaced(all, n, undefined) })
                  toast({ text: `Template ${template.name} removed`, undo: () => change({ templates: all }) })
                }}
              >
                Remove
              </button>
            </p>
          </details>
        )
      })}
      <button type="button" onClick={add} disabled={all.length >= 200}>
        Add template
      </button>
    </fieldset>
  )
}
