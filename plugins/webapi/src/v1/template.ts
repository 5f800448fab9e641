// Variables of a batch: {{name}} in subject, text and HTML. A value is data: in HTML it is escaped, in the subject a line
// break in it is refused like any other. A name without a value is an error, so that nobody gets a letter with braces.
import { MAX_VARIABLES } from '../limits.ts'
import { ApiError } from '../send/error.ts'
import { escapeHtml } from '../web/page.ts'
import type { SendRequest } from './request.ts'

const PLACE = /\{\{\s{0,10}([A-Za-z_][A-Za-z0-9_.-]{0,63})\s{0,10}\}\}/g

export type Variables = ReadonlyMap<string, string>

export function variablesOf(given: Readonly<Record<string, string | number>> | undefined): Variables {
  const entries = Object.entries(given ?? {})
  if (entries.length > MAX_VARIABLES)
    throw new ApiError('user', `at most ${MAX_VARIABLES} variables`, { path: ['variables'] })
  return new Map(entries.map(([name, value]) => [name, String(value)]))
}

export function fill(message: SendRequest, variables: Variables): SendRequest {
  const { subject, text, html } = message
  return {
    ...message,
    ...(subject === undefined ? {} : { subject: replace(subject, variables, value => value) }),
    ...(text === undefined ? {} : { text: replace(text, variables, value => value) }),
    ...(html === undefined ? {} : { html: replace(html, variables, escapeHtml) }),
  }
}

function replace(template: string, variables: Variables, shown: (value: string) => string): string {
  return template.replace(PLACE, (_, name: string) => {
    const value = variables.get(name)
    if (value === undefined) throw new ApiError('user', `no value for {{${name}}}`, { path: ['variables', name] })
    return shown(value)
  })
}
