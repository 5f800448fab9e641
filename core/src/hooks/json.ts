// Whether a value comes back from JSON as it went in: what is stored as a persisted fact or a webhook's payload must.

/** Levels of nesting. */
export const JSON_DEPTH = 32

/** What would be lost, with its place (".results[2] is a Date"); undefined when nothing is. Absent and undefined fields are the same. */
export function jsonProblem(value: unknown, limit: number): string | undefined {
  const problem = lossAt(value, '', 0)
  if (problem !== undefined) return problem
  return (JSON.stringify(value) ?? '').length > limit ? `has more than ${limit} characters as JSON` : undefined
}

function lossAt(value: unknown, place: string, depth: number): string | undefined {
  const found = (what: string): string => (place === '' ? what : `${place} ${what}`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : found(`is ${value}`)
  if (typeof value !== 'object') return found(value === undefined ? 'is undefined' : `is a ${typeof value}`)
  if (depth >= JSON_DEPTH) return found(`is nested more than ${JSON_DEPTH} levels deep`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const problem = lossAt(value[i], `${place}[${i}]`, depth + 1)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    return found(`is a ${value.constructor?.name ?? 'class instance'}`)
  if ('toJSON' in value) return found('has a toJSON method')
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const problem = lossAt(item, `${place}.${key}`, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}
