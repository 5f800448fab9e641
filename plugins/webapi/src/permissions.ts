// What an API key may do. A login with a password may do everything.

export const PERMISSIONS = [
  'send',
  'messages:read',
  'messages:write',
  'events:read',
  'suppressions:read',
  'suppressions:write',
] as const

/**
 * - `send`: send messages. `messages:read`: list what was sent and its state. `messages:write`: cancel and reschedule.
 * - `events:read`: events and statistics. `suppressions:read`, `suppressions:write`: the suppression lists.
 */
export type Permission = (typeof PERMISSIONS)[number]

export function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text)
}
