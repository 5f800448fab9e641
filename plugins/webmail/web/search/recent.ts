// Searches that were made in this browser, newest first.
const KEY = 'webmail-recent-searches'
const RECENT = 10
const LENGTH = 2_000

export function recentSearches(storage: Storage = localStorage): readonly string[] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(KEY) ?? '[]')
    if (!Array.isArray(stored)) return []
    return stored.filter(s => typeof s === 'string' && s !== '' && s.length <= LENGTH).slice(0, RECENT)
  } catch {
    return []
  }
}

export function rememberSearch(query: string, storage: Storage = localStorage): void {
  if (query === '' || query.length > LENGTH) return
  const rest = recentSearches(storage).filter(s => s !== query)
  storage.setItem(KEY, JSON.stringify([query, ...rest].slice(0, RECENT)))
}

export function forgetSearches(storage: Storage = localStorage): void {
  storage.removeItem(KEY)
}
