// Junk flags by mailbox: what a user files somewhere says what it is. Names are tested in lower case against expressions of the
// configuration, in the order junk, neutral, not junk. Nothing throws once the options were read.
import { RE2JS } from 're2js'
import type { FlagColumns } from './schema.ts'

export interface JunkFlagOptions {
  readonly junk?: string | undefined
  readonly neutral?: string | undefined
  readonly notJunk?: string | undefined
}

export type JunkFlags = Pick<FlagColumns, 'junk' | 'notjunk'>

const CLASSES: readonly (readonly [keyof JunkFlagOptions, JunkFlags])[] = [
  ['junk', { junk: 1, notjunk: 0 }],
  ['neutral', { junk: 0, notjunk: 0 }],
  ['notJunk', { junk: 0, notjunk: 1 }],
]

/** What a mailbox of that name makes of messages; undefined to leave their flags as they are. */
export function junkFlags(options: JunkFlagOptions | undefined): (mailbox: string) => JunkFlags | undefined {
  if (options === undefined) return () => undefined
  const given = CLASSES.flatMap(([name, flags]) => {
    const expression = options[name]
    return expression === undefined ? [] : [{ expression: RE2JS.compile(expression), flags }]
  })
  // With two of the three, the third is for all other names.
  const missing = CLASSES.filter(([name]) => options[name] === undefined)
  const otherwise = missing.length === 1 ? missing[0]?.[1] : undefined
  return mailbox => {
    const name = mailbox.toLowerCase()
    return given.find(({ expression }) => expression.matcher(name).find())?.flags ?? otherwise
  }
}

export function isExpression(text: string): boolean {
  try {
    RE2JS.compile(text)
    return true
  } catch {
    return false
  }
}
