// After a message was moved by hand: asks whether messages like it shall be delivered there from now on.
import { call } from '../lib/api.ts'
import { onSingleMove } from '../state/actions.ts'

export function startRuleSuggestions(): void {
  // Only an offer: that it could not be made is nothing to tell.
  onSingleMove((id, from, to) => void suggest(id, from, to).catch(() => undefined))
}

async function suggest(id: number, from: number, to: number): Promise<void> {
  const { suggestion } = await call('ruleSuggest', { id, from, to })
  if (suggestion === null) return
  const { openOffer } = await import('./rule-offer.tsx')
  openOffer(suggestion, suggestion.kind === 'add' ? to : from)
}
